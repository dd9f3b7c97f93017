use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    #[field(versions = "6+")]
    pub topics: Vec<DeleteTopicState>,
    #[field(versions = "1-5", ignorable)]
    pub topic_names: Vec<ByteString>,
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DeleteTopicsRequest {
    type Response = DeleteTopicsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DeleteTopicsResponse {
        let result = |name: Option<ByteString>, topic_id| DeletableTopicResult {
            name,
            topic_id,
            error_code: error,
            ..Default::default()
        };
        let by_state = self.topics.iter().map(|topic| result(topic.name.clone(), topic.topic_id));
        let by_name = self.topic_names.iter().map(|name| result(Some(name.clone()), Uuid::ZERO));
        DeleteTopicsResponse { responses: by_state.chain(by_name).collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteTopicState {
    #[field(default = null)]
    pub name: Option<ByteString>,
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeletableTopicResult {
    #[field(nullable = "6+")]
    pub name: Option<ByteString>,
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: ErrorCode,
    #[field(versions = "5+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
