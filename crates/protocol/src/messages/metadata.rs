//! Tells clients which brokers, topics and leaders there are.

use crate::{ByteString, ErrorCode, Message, NodeIds, Request, TaggedFields, Uuid, Version};

/// Which topics to tell about.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataRequest {
    /// The topics; null for all. In version 0 an empty list is all.
    #[field(nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Whether a missing topic may be created, if the broker is set to.
    #[field(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    /// Whether to tell what the asker may do with the cluster (KIP-430).
    #[field(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    /// Whether to tell what the asker may do with each topic (KIP-430).
    #[field(versions = "8+")]
    pub include_topic_authorized_operations: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for MetadataRequest {
    type Response = MetadataResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> MetadataResponse {
        let topics = self.topics.iter().flatten().map(|topic| MetadataResponseTopic {
            // Null names came with version 12; before that the name of a topic asked for by id is empty.
            name: if version < 12 {
                Some(topic.name.clone().unwrap_or_default())
            } else {
                topic.name.clone()
            },
            topic_id: topic.topic_id,
            error_code: error,
            ..Default::default()
        });
        MetadataResponse { topics: topics.collect(), error_code: error, ..Default::default() }
    }
}

/// A topic, by name or id.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataRequestTopic {
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// The topic's name; null to ask by id.
    #[field(nullable = "10+")]
    pub name: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Brokers, topics and their partitions' leaders.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 3, versions = "0-13", flexible = "9+")]
pub struct MetadataResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    /// The brokers.
    pub brokers: Vec<MetadataResponseBroker>,
    /// The cluster's id.
    #[field(versions = "2+", default = null, ignorable)]
    pub cluster_id: Option<ByteString>,
    /// A broker that takes requests for the controller; −1 if there is none.
    #[field(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    /// The topics.
    pub topics: Vec<MetadataResponseTopic>,
    /// What the asker may do with the cluster, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    /// Why it failed, or 0.
    #[field(versions = "13+", ignorable)]
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One broker.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponseBroker {
    /// The node.
    pub node_id: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: i32,
    /// Where the node stands (`broker.rack`); null if it does not say.
    #[field(versions = "1+", default = null, ignorable)]
    pub rack: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponseTopic {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The topic's name; null if the id is not known.
    #[field(nullable = "12+")]
    pub name: Option<ByteString>,
    /// The topic's id (KIP-516).
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    /// Whether the topic belongs to the platform.
    #[field(versions = "1+", ignorable)]
    pub is_internal: bool,
    /// The partitions.
    pub partitions: Vec<MetadataResponsePartition>,
    /// What the asker may do with the topic, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataResponsePartition {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// The leader's node id; −1 if there is none.
    pub leader_id: i32,
    /// The epoch of the partition's leader.
    #[field(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The brokers that hold a replica, the preferred leader first.
    pub replica_nodes: NodeIds,
    /// The in-sync replicas.
    pub isr_nodes: NodeIds,
    /// The replicas whose broker or disk is down.
    #[field(versions = "5+", ignorable)]
    pub offline_replicas: NodeIds,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
