use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    #[field(versions = "0-3")]
    pub key: ByteString,
    #[field(versions = "1+")]
    pub key_type: i8,
    #[field(versions = "4+")]
    pub coordinator_keys: Vec<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for FindCoordinatorRequest {
    type Response = FindCoordinatorResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> FindCoordinatorResponse {
        let message = Some(ByteString::from_static(error.message()));
        if version < 4 {
            return FindCoordinatorResponse {
                error_code: error,
                error_message: message,
                node_id: -1,
                port: -1,
                ..Default::default()
            };
        }
        let coordinators = self.coordinator_keys.iter().map(|key| Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: error,
            error_message: message.clone(),
            ..Default::default()
        });
        FindCoordinatorResponse { coordinators: coordinators.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "0-3")]
    pub error_code: ErrorCode,
    #[field(versions = "1-3", ignorable)]
    pub error_message: Option<ByteString>,
    #[field(versions = "0-3")]
    pub node_id: i32,
    #[field(versions = "0-3")]
    pub host: ByteString,
    #[field(versions = "0-3")]
    pub port: i32,
    #[field(versions = "4+")]
    pub coordinators: Vec<Coordinator>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Coordinator {
    pub key: ByteString,
    pub node_id: i32,
    pub host: ByteString,
    pub port: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
