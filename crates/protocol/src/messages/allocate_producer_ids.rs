//! Hands a broker a block of producer ids (KIP-730).

use crate::{ErrorCode, Message, Request, TaggedFields, Version};

/// A broker asks for a block of producer ids.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 67, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    /// The broker that needs ids.
    pub broker_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AllocateProducerIdsRequest {
    type Response = AllocateProducerIdsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AllocateProducerIdsResponse {
        AllocateProducerIdsResponse { error_code: error, ..Default::default() }
    }
}

/// The block.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 67, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The first id of the block.
    pub producer_id_start: i64,
    /// How many ids the block has.
    pub producer_id_len: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
