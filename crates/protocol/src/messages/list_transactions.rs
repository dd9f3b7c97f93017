//! Lists transactions (KIP-664).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which transactions to list.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 66, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest {
    /// Only transactions in these states; empty for all.
    pub state_filters: Vec<ByteString>,
    /// Only transactions of these producers; empty for all.
    pub producer_id_filters: Vec<i64>,
    /// Only transactions that have been open for longer, ms; −1 for all.
    #[field(versions = "1+", default = -1)]
    pub duration_filter: i64,
    /// Only transactional ids that match this expression (KIP-1152); null for all.
    #[field(versions = "2+", default = null)]
    pub transactional_id_pattern: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListTransactionsRequest {
    type Response = ListTransactionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListTransactionsResponse {
        ListTransactionsResponse { error_code: error, ..Default::default() }
    }
}

/// The transactions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 66, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Filters that name no state.
    pub unknown_state_filters: Vec<ByteString>,
    /// The transactions.
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TransactionState {
    /// The transactional id.
    pub transactional_id: ByteString,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// Its state.
    pub transaction_state: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
