use crate::{ByteString, Bytes, Message};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolSubscription {
    pub topics: Vec<ByteString>,
    #[field(default = null)]
    pub user_data: Option<Bytes>,
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<TopicPartition>,
    #[field(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    #[field(versions = "3+", default = null, ignorable)]
    pub rack_id: Option<ByteString>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartition {
    pub topic: ByteString,
    pub partitions: Vec<i32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolAssignment {
    pub assigned_partitions: Vec<ConsumerProtocolAssignmentTopicPartition>,
    #[field(default = null)]
    pub user_data: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ConsumerProtocolAssignmentTopicPartition {
    pub topic: ByteString,
    pub partitions: Vec<i32>,
}
