use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest {
    pub group_id: ByteString,
    pub session_timeout_ms: i32,
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    pub member_id: ByteString,
    #[field(versions = "5+", default = null)]
    pub group_instance_id: Option<ByteString>,
    pub protocol_type: ByteString,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    #[field(versions = "8+", default = null, ignorable)]
    pub reason: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for JoinGroupRequest {
    type Response = JoinGroupResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> JoinGroupResponse {
        JoinGroupResponse {
            error_code: error,
            // Null is allowed from version 7 on.
            protocol_name: if version < 7 { Some(ByteString::new()) } else { None },
            ..Default::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct JoinGroupRequestProtocol {
    pub name: ByteString,
    pub metadata: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 11, versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(default = -1)]
    pub generation_id: i32,
    #[field(versions = "7+", default = null, ignorable)]
    pub protocol_type: Option<ByteString>,
    #[field(nullable = "7+")]
    pub protocol_name: Option<ByteString>,
    pub leader: ByteString,
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    pub member_id: ByteString,
    pub members: Vec<JoinGroupResponseMember>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct JoinGroupResponseMember {
    pub member_id: ByteString,
    #[field(versions = "5+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    pub metadata: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
