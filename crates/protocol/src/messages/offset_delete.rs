use crate::{ByteString, ErrorCode, Message, Request, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 47, versions = "0", flexible = "none")]
pub struct OffsetDeleteRequest {
    pub group_id: ByteString,
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Request for OffsetDeleteRequest {
    type Response = OffsetDeleteResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> OffsetDeleteResponse {
        OffsetDeleteResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteRequestTopic {
    pub name: ByteString,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 47, versions = "0", flexible = "none")]
pub struct OffsetDeleteResponse {
    pub error_code: ErrorCode,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteResponseTopic {
    pub name: ByteString,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: ErrorCode,
}
