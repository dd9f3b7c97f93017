use crate::{ByteString, Message, TaggedFields, Uuid};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0", flexible = "0+")]
pub struct TopicRecord {
    pub name: ByteString,
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 3, versions = "0-2", flexible = "0+")]
pub struct PartitionRecord {
    #[field(default = -1)]
    pub partition_id: i32,
    pub topic_id: Uuid,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    #[field(default = -1)]
    pub leader: i32,
    #[field(tag = 0)]
    pub leader_recovery_state: i8,
    #[field(default = -1)]
    pub leader_epoch: i32,
    #[field(default = -1)]
    pub partition_epoch: i32,
    #[field(versions = "1+")]
    pub directories: Vec<Uuid>,
    #[field(versions = "2+", tag = 1, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    #[field(versions = "2+", tag = 2, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 5, versions = "0-2", flexible = "0+")]
pub struct PartitionChangeRecord {
    #[field(default = -1)]
    pub partition_id: i32,
    pub topic_id: Uuid,
    #[field(tag = 0, default = null)]
    pub isr: Option<Vec<i32>>,
    #[field(tag = 1, default = -2)]
    pub leader: i32,
    #[field(tag = 2, default = null)]
    pub replicas: Option<Vec<i32>>,
    #[field(tag = 3, default = null)]
    pub removing_replicas: Option<Vec<i32>>,
    #[field(tag = 4, default = null)]
    pub adding_replicas: Option<Vec<i32>>,
    #[field(tag = 5, default = -1)]
    pub leader_recovery_state: i8,
    #[field(versions = "1+", tag = 8, default = null)]
    pub directories: Option<Vec<Uuid>>,
    #[field(versions = "2+", tag = 6, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    #[field(versions = "2+", tag = 7, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 9, versions = "0", flexible = "0+")]
pub struct RemoveTopicRecord {
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 28, versions = "0", flexible = "0+")]
pub struct ClearElrRecord {
    pub topic_name: ByteString,
    pub unknown_tagged_fields: TaggedFields,
}
