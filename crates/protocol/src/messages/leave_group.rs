use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest {
    pub group_id: ByteString,
    #[field(versions = "0-2")]
    pub member_id: ByteString,
    #[field(versions = "3+")]
    pub members: Vec<MemberIdentity>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for LeaveGroupRequest {
    type Response = LeaveGroupResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> LeaveGroupResponse {
        LeaveGroupResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberIdentity {
    pub member_id: ByteString,
    #[field(default = null)]
    pub group_instance_id: Option<ByteString>,
    #[field(versions = "5+", default = null, ignorable)]
    pub reason: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 13, versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(versions = "3+")]
    pub members: Vec<MemberResponse>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberResponse {
    pub member_id: ByteString,
    pub group_instance_id: Option<ByteString>,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}
