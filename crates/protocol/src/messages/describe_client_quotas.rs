use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 48, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest {
    pub components: Vec<ComponentData>,
    pub strict: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeClientQuotasRequest {
    type Response = DescribeClientQuotasResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeClientQuotasResponse {
        DescribeClientQuotasResponse {
            error_code: error,
            error_message: None,
            entries: None,
            ..Default::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ComponentData {
    pub entity_type: ByteString,
    pub match_type: i8,
    pub r#match: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Message)]
#[message(key = 48, versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub entries: Option<Vec<EntryData>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub values: Vec<ValueData>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EntityData {
    pub entity_type: ByteString,
    pub entity_name: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Message)]
pub struct ValueData {
    pub key: ByteString,
    pub value: f64,
    pub unknown_tagged_fields: TaggedFields,
}
