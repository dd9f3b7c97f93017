use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    #[field(versions = "1+")]
    pub resource_types: Vec<i8>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListConfigResourcesRequest {
    type Response = ListConfigResourcesResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListConfigResourcesResponse {
        ListConfigResourcesResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 74, versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub config_resources: Vec<ConfigResource>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ConfigResource {
    pub resource_name: ByteString,
    #[field(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}
