//! The member metadata and assignments of groups whose protocol type is `consumer`; opaque to the coordinator.
//! Their version stands before them: see `records::decode_prefixed`.

use crate::{ByteString, Bytes, Message};

/// What a consumer wants.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolSubscription {
    /// The topics that the member subscribes to.
    pub topics: Vec<ByteString>,
    /// The assignor's own data.
    #[field(default = null)]
    pub user_data: Option<Bytes>,
    /// The partitions that the member has now, for cooperative rebalances (KIP-429).
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<TopicPartition>,
    /// The generation of `owned_partitions`; −1 if not known (KIP-792).
    #[field(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    /// Where the member stands (KIP-881); null if it does not say.
    #[field(versions = "3+", default = null, ignorable)]
    pub rack_id: Option<ByteString>,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
}

/// What a consumer got.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolAssignment {
    /// The partitions that the member shall read.
    pub assigned_partitions: Vec<ConsumerProtocolAssignmentTopicPartition>,
    /// The assignor's own data.
    #[field(default = null)]
    pub user_data: Option<Bytes>,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ConsumerProtocolAssignmentTopicPartition {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
}
