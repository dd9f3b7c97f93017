use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10000, versions = "0", flexible = "0+")]
pub struct FetchMetadataRequest {
    pub cluster_id: ByteString,
    pub node_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub epoch: i32,
    pub offset: i64,
    pub max_wait_ms: i32,
    pub max_bytes: i32,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for FetchMetadataRequest {
    type Response = FetchMetadataResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> FetchMetadataResponse {
        FetchMetadataResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10000, versions = "0", flexible = "0+")]
pub struct FetchMetadataResponse {
    pub error_code: ErrorCode,
    #[field(default = -1)]
    pub leader_id: i32,
    pub epoch: i32,
    #[field(default = null)]
    pub snapshot: Option<Bytes>,
    #[field(default = -1)]
    pub snapshot_offset: i64,
    pub end_offset: i64,
    pub entries: Vec<MetadataEntry>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataEntry {
    pub offset: i64,
    pub epoch: i32,
    pub payload: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
