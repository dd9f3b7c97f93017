use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest {
    #[field(versions = "4+")]
    pub states_filter: Vec<ByteString>,
    #[field(versions = "5+")]
    pub types_filter: Vec<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListGroupsRequest {
    type Response = ListGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListGroupsResponse {
        ListGroupsResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 16, versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub groups: Vec<ListedGroup>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ListedGroup {
    pub group_id: ByteString,
    pub protocol_type: ByteString,
    #[field(versions = "4+", ignorable)]
    pub group_state: ByteString,
    #[field(versions = "5+", ignorable)]
    pub group_type: ByteString,
    pub unknown_tagged_fields: TaggedFields,
}
