//! Describes topics page by page (KIP-966).

use crate::{ByteString, ErrorCode, Message, NodeIds, Request, TaggedFields, Uuid, Version};

/// Which topics to describe, and from where on.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 75, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest {
    /// The topics.
    pub topics: Vec<TopicRequest>,
    /// At most how many partitions to describe.
    #[field(default = 2000)]
    pub response_partition_limit: i32,
    /// Where to begin; null for the start.
    #[field(default = null)]
    pub cursor: Option<Cursor>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeTopicPartitionsRequest {
    type Response = DescribeTopicPartitionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeTopicPartitionsResponse {
        let topics = self.topics.iter().map(|topic| DescribeTopicPartitionsResponseTopic {
            name: Some(topic.name.clone()),
            error_code: error,
            ..Default::default()
        });
        DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicRequest {
    /// The name.
    pub name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Cursor {
    /// The topic to begin with.
    pub topic_name: ByteString,
    /// Its first partition to describe.
    pub partition_index: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 75, versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Where to go on; null at the end.
    #[field(default = null)]
    pub next_cursor: Option<DescribeTopicPartitionsResponseCursor>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The name.
    pub name: Option<ByteString>,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// Whether the topic belongs to the platform.
    pub is_internal: bool,
    /// The partitions.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// What the asker may do with the topic, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(default = i32::MIN)]
    pub topic_authorized_operations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeTopicPartitionsResponseCursor {
    /// The topic to go on with.
    pub topic_name: ByteString,
    /// Its first partition that is missing.
    pub partition_index: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// The brokers that hold a replica, the preferred leader first.
    pub replica_nodes: NodeIds,
    /// The in-sync replicas.
    pub isr_nodes: NodeIds,
    /// Replicas outside of the ISR that hold every committed record (KIP-966); null if there are none.
    #[field(default = null)]
    pub eligible_leader_replicas: Option<NodeIds>,
    /// The last members of the eligible leader replicas (KIP-966); null if there are none.
    #[field(default = null)]
    pub last_known_elr: Option<NodeIds>,
    /// The replicas whose broker or disk is down.
    pub offline_replicas: NodeIds,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
