//! Topics and their partitions.

use crate::{ByteString, Message, TaggedFields, Uuid};

/// A topic was created.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0", flexible = "0+")]
pub struct TopicRecord {
    /// The topic's name.
    pub name: ByteString,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition was created; in a snapshot its whole state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 3, versions = "0-2", flexible = "0+")]
pub struct PartitionRecord {
    /// The partition's number in its topic.
    #[field(default = -1)]
    pub partition_id: i32,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The brokers that hold a replica, the preferred leader first.
    pub replicas: Vec<i32>,
    /// The in-sync replicas.
    pub isr: Vec<i32>,
    /// The replicas that a reassignment takes away.
    pub removing_replicas: Vec<i32>,
    /// The replicas that a reassignment adds.
    pub adding_replicas: Vec<i32>,
    /// The leader; −1 for none.
    #[field(default = -1)]
    pub leader: i32,
    /// 0 recovered; 1 elected uncleanly and still recovering (KIP-704).
    #[field(tag = 0)]
    pub leader_recovery_state: i8,
    /// The epoch of the partition's leader.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Counts every change to the partition's state.
    #[field(default = -1)]
    pub partition_epoch: i32,
    /// The ids of the log directories, one per replica (KIP-858).
    #[field(versions = "1+")]
    pub directories: Vec<Uuid>,
    /// Replicas outside of the ISR that hold every committed record (KIP-966); null if there are none.
    #[field(versions = "2+", tag = 1, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// The last members of the eligible leader replicas (KIP-966); null if there are none.
    #[field(versions = "2+", tag = 2, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition changed. What is not set is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 5, versions = "0-2", flexible = "0+")]
pub struct PartitionChangeRecord {
    /// The partition's number in its topic.
    #[field(default = -1)]
    pub partition_id: i32,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The in-sync replicas; null if unchanged.
    #[field(tag = 0, default = null)]
    pub isr: Option<Vec<i32>>,
    /// The leader, −1 for none; −2 if unchanged.
    #[field(tag = 1, default = -2)]
    pub leader: i32,
    /// The replicas; null if unchanged.
    #[field(tag = 2, default = null)]
    pub replicas: Option<Vec<i32>>,
    /// The replicas that a reassignment takes away; null if unchanged.
    #[field(tag = 3, default = null)]
    pub removing_replicas: Option<Vec<i32>>,
    /// The replicas that a reassignment adds; null if unchanged.
    #[field(tag = 4, default = null)]
    pub adding_replicas: Option<Vec<i32>>,
    /// 0 recovered, 1 recovering (KIP-704); −1 if unchanged.
    #[field(tag = 5, default = -1)]
    pub leader_recovery_state: i8,
    /// The ids of the log directories, one per replica (KIP-858); null if unchanged.
    #[field(versions = "1+", tag = 8, default = null)]
    pub directories: Option<Vec<Uuid>>,
    /// Replicas outside of the ISR that hold every committed record (KIP-966); null if unchanged.
    #[field(versions = "2+", tag = 6, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// The last members of the eligible leader replicas (KIP-966); null if unchanged.
    #[field(versions = "2+", tag = 7, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic was deleted with its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 9, versions = "0", flexible = "0+")]
pub struct RemoveTopicRecord {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The eligible leader replicas of a topic, or of all, were dropped (KIP-966).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 28, versions = "0", flexible = "0+")]
pub struct ClearElrRecord {
    /// The topic's name; empty for all topics.
    pub topic_name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
