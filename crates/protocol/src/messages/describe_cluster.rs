//! Names the cluster's nodes (KIP-700).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Asks for brokers or controllers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    /// Whether to tell what the asker may do with the cluster (KIP-430).
    pub include_cluster_authorized_operations: bool,
    /// Whom to name: 1 brokers, 2 controllers (KIP-919).
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    /// Whether to name fenced brokers too.
    #[field(versions = "2+")]
    pub include_fenced_brokers: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeClusterRequest {
    type Response = DescribeClusterResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeClusterResponse {
        DescribeClusterResponse { error_code: error, ..Default::default() }
    }
}

/// The nodes.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Who is named: 1 brokers, 2 controllers (KIP-919).
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    /// The cluster's id.
    pub cluster_id: ByteString,
    /// The controller; −1 if none is known.
    #[field(default = -1)]
    pub controller_id: i32,
    /// The brokers.
    pub brokers: Vec<DescribeClusterBroker>,
    /// What the asker may do with the cluster, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeClusterBroker {
    /// The broker.
    pub broker_id: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: i32,
    /// Where the node stands (`broker.rack`); null if it does not say.
    #[field(default = null)]
    pub rack: Option<ByteString>,
    /// Whether the broker is fenced: registered, but leads and serves nothing.
    #[field(versions = "2+")]
    pub is_fenced: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
