use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest {
    pub group_id: ByteString,
    pub generation_id: i32,
    pub member_id: ByteString,
    #[field(versions = "3+", default = null)]
    pub group_instance_id: Option<ByteString>,
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<ByteString>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for SyncGroupRequest {
    type Response = SyncGroupResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> SyncGroupResponse {
        SyncGroupResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SyncGroupRequestAssignment {
    pub member_id: ByteString,
    pub assignment: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 14, versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    #[field(versions = "5+", default = null, ignorable)]
    pub protocol_name: Option<ByteString>,
    pub assignment: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
