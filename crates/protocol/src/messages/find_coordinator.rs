//! Finds the broker that coordinates a group or transactional id.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Whose coordinator to find: one, from version 4 on many.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest {
    /// The group or transactional id.
    #[field(versions = "0-3")]
    pub key: ByteString,
    /// 0 group, 1 transactional id, 2 share group.
    #[field(versions = "1+")]
    pub key_type: i8,
    /// The keys: group ids, transactional ids.
    #[field(versions = "4+")]
    pub coordinator_keys: Vec<ByteString>,
    /// Tagged fields of newer versions.
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

/// Where the coordinators are: from version 4 on errors, too, are per key.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10, versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    #[field(versions = "0-3")]
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(versions = "1-3", ignorable)]
    pub error_message: Option<ByteString>,
    /// The coordinator's broker id; −1 on errors.
    #[field(versions = "0-3")]
    pub node_id: i32,
    /// Where it is reached: a name or address.
    #[field(versions = "0-3")]
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    #[field(versions = "0-3")]
    pub port: i32,
    /// The coordinator per key.
    #[field(versions = "4+")]
    pub coordinators: Vec<Coordinator>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One key's coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Coordinator {
    /// The group or transactional id asked for.
    pub key: ByteString,
    /// The coordinator's broker id; −1 on errors.
    pub node_id: i32,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
