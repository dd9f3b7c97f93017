//! Removes the registration of a controller that will not come back.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which controller to forget.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 94, versions = "0", flexible = "0+")]
pub struct UnregisterControllerRequest {
    /// The controller; −1 if none is known.
    pub controller_id: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UnregisterControllerRequest {
    type Response = UnregisterControllerResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UnregisterControllerResponse {
        UnregisterControllerResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 94, versions = "0", flexible = "0+")]
pub struct UnregisterControllerResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
