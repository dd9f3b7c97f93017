//! Deletes topics.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The topics to delete: by name, from version 6 on by name or id.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    /// The topics.
    #[field(versions = "6+")]
    pub topics: Vec<DeleteTopicState>,
    /// The topics' names.
    #[field(versions = "1-5", ignorable)]
    pub topic_names: Vec<ByteString>,
    /// How long the node may take before it answers, ms.
    pub timeout_ms: i32,
    /// Tagged fields of newer versions.
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

/// A topic, by name or id.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeleteTopicState {
    /// The topic's name; null to name it by id.
    #[field(default = null)]
    pub name: Option<ByteString>,
    /// The topic's id (KIP-516).
    pub topic_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 20, versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub responses: Vec<DeletableTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DeletableTopicResult {
    /// The topic's name; null if the id is not known.
    #[field(nullable = "6+")]
    pub name: Option<ByteString>,
    /// The topic's id (KIP-516).
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "5+", default = null, ignorable)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
