use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    #[field(versions = "3+")]
    pub include_documentation: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeConfigsResponse {
        let results = self.resources.iter().map(|resource| DescribeConfigsResult {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        DescribeConfigsResponse { results: results.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResource {
    pub resource_type: i8,
    pub resource_name: ByteString,
    pub configuration_keys: Option<Vec<ByteString>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 32, versions = "1-4", flexible = "4+")]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResult {
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub resource_type: i8,
    pub resource_name: ByteString,
    pub configs: Vec<DescribeConfigsResourceResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsResourceResult {
    pub name: ByteString,
    pub value: Option<ByteString>,
    pub read_only: bool,
    #[field(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Vec<DescribeConfigsSynonym>,
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    #[field(versions = "3+", ignorable)]
    pub documentation: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeConfigsSynonym {
    pub name: ByteString,
    pub value: Option<ByteString>,
    pub source: i8,
    pub unknown_tagged_fields: TaggedFields,
}
