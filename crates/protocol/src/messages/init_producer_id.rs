//! Gives a producer its id and epoch (KIP-98).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// A producer starts, or needs a new epoch.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 22, versions = "0-6", flexible = "2+", latest_unstable)]
pub struct InitProducerIdRequest {
    /// The transactional id; null without transactions.
    pub transactional_id: Option<ByteString>,
    /// How long a transaction may stay open without a word from its producer, ms.
    pub transaction_timeout_ms: i32,
    /// The id that the producer has and wants a new epoch for (KIP-360); −1 for a new one.
    #[field(versions = "3+", default = -1)]
    pub producer_id: i64,
    /// Its epoch; −1 for a new id.
    #[field(versions = "3+", default = -1)]
    pub producer_epoch: i16,
    /// Whether the producer takes part in two-phase commits (KIP-939).
    #[field(versions = "6+")]
    pub enable_2pc: bool,
    /// Whether a prepared transaction stays (KIP-939).
    #[field(versions = "6+")]
    pub keep_prepared_txn: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for InitProducerIdRequest {
    type Response = InitProducerIdResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> InitProducerIdResponse {
        InitProducerIdResponse {
            error_code: error,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        }
    }
}

/// The id and epoch.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 22, versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The producer's id (KIP-98).
    #[field(default = -1)]
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// The producer id of the prepared transaction (KIP-939); −1 for none.
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    /// The producer epoch of the prepared transaction (KIP-939); −1 for none.
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
