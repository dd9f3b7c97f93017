use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 42, versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsRequest {
    pub groups_names: Vec<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteGroupsRequest {
    type Response = DeleteGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteGroupsResponse {
        let results = self.groups_names.iter().map(|group_id| DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        DeleteGroupsResponse { results: results.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 42, versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DeletableGroupResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeletableGroupResult {
    pub group_id: ByteString,
    pub error_code: ErrorCode,
    #[field(versions = "3+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
