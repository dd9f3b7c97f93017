//! A partition's leader changes its in-sync replicas (KIP-497).

use crate::{ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// A leader asks the controller for other in-sync replicas.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 56, versions = "2-3", flexible = "2+")]
pub struct AlterPartitionRequest {
    /// The leader that asks.
    pub broker_id: i32,
    /// Its epoch.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterPartitionRequest {
    type Response = AlterPartitionResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterPartitionResponse {
        AlterPartitionResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<PartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition to change.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// The in-sync replicas to be.
    #[field(versions = "2")]
    pub new_isr: Vec<i32>,
    /// The in-sync replicas to be, with their broker epochs (KIP-903).
    #[field(versions = "3+")]
    pub new_isr_with_epochs: Vec<BrokerState>,
    /// 0 recovered; 1 elected uncleanly and still recovering (KIP-704).
    pub leader_recovery_state: i8,
    /// Counts every change to the partition's state.
    pub partition_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// An in-sync replica to be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BrokerState {
    /// The broker.
    pub broker_id: i32,
    /// Its epoch; −1 if the leader does not know it.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The state of each partition after it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 56, versions = "2-3", flexible = "2+")]
pub struct AlterPartitionResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topics.
    pub topics: Vec<AlterPartitionResponseTopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterPartitionResponseTopicData {
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// The partitions.
    pub partitions: Vec<AlterPartitionResponsePartitionData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition's state as the controller has it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterPartitionResponsePartitionData {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    pub leader_epoch: i32,
    /// The in-sync replicas.
    pub isr: Vec<i32>,
    /// 0 recovered; 1 elected uncleanly and still recovering (KIP-704).
    pub leader_recovery_state: i8,
    /// Counts every change to the partition's state.
    pub partition_epoch: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
