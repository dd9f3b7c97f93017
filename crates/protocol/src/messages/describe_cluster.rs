use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    #[field(versions = "2+")]
    pub include_fenced_brokers: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeClusterRequest {
    type Response = DescribeClusterResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeClusterResponse {
        DescribeClusterResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 60, versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    pub cluster_id: ByteString,
    #[field(default = -1)]
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker>,
    #[field(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeClusterBroker {
    pub broker_id: i32,
    pub host: ByteString,
    pub port: i32,
    #[field(default = null)]
    pub rack: Option<ByteString>,
    #[field(versions = "2+")]
    pub is_fenced: bool,
    pub unknown_tagged_fields: TaggedFields,
}
