//! Adds a group's offsets partition to a transaction (KIP-98).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// A producer will commit offsets of this group within its transaction.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 25, versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnRequest {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// The group.
    pub group_id: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AddOffsetsToTxnRequest {
    type Response = AddOffsetsToTxnResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AddOffsetsToTxnResponse {
        AddOffsetsToTxnResponse { error_code: error, ..Default::default() }
    }
}

/// Whether the offsets partition is in the transaction now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 25, versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
