//! Commits or aborts a transaction (KIP-98).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which transaction ends, and how.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 26, versions = "0-5", flexible = "3+")]
pub struct EndTxnRequest {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// Whether to commit; otherwise the transaction is aborted.
    pub committed: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for EndTxnRequest {
    type Response = EndTxnResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> EndTxnResponse {
        EndTxnResponse { error_code: error, ..Default::default() }
    }
}

/// Whether it ended, and the producer's next epoch (KIP-890).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 26, versions = "0-5", flexible = "3+")]
pub struct EndTxnResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The producer's id (KIP-98).
    #[field(versions = "5+", default = -1, ignorable)]
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    #[field(versions = "5+", default = -1, ignorable)]
    pub producer_epoch: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
