//! Describes transactions by their transactional ids (KIP-664).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which transactions to describe.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 65, versions = "0", flexible = "0+")]
pub struct DescribeTransactionsRequest {
    /// The transactional ids.
    pub transactional_ids: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeTransactionsRequest {
    type Response = DescribeTransactionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeTransactionsResponse {
        let transaction_states = self.transactional_ids.iter().map(|id| TransactionState {
            transactional_id: id.clone(),
            error_code: error,
            ..Default::default()
        });
        DescribeTransactionsResponse {
            transaction_states: transaction_states.collect(),
            ..Default::default()
        }
    }
}

/// The transactions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 65, versions = "0", flexible = "0+")]
pub struct DescribeTransactionsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The transactions.
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TransactionState {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The transactional id.
    pub transactional_id: ByteString,
    /// The transaction's state, such as `Ongoing`.
    pub transaction_state: ByteString,
    /// How long a transaction may stay open without a word from its producer, ms.
    pub transaction_timeout_ms: i32,
    /// When the transaction began, ms since 1970; −1 if none is open.
    pub transaction_start_time_ms: i64,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// The topics.
    pub topics: Vec<TopicData>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicData {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
