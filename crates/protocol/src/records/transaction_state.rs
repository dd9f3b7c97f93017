//! Keys and values of `__transaction_state` (KIP-98). A null value deletes.

use crate::{ByteString, Message, TaggedFields};

/// The key of a transaction: type 0.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct TransactionLogKey {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
}

/// The state of a transactional id.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 0, versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer id of the transaction before; −1 for none.
    #[field(versions = "1+", tag = 0, default = -1)]
    pub previous_producer_id: i64,
    /// The first id that no block has.
    #[field(versions = "1+", tag = 1, default = -1)]
    pub next_producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// The epoch that goes with `next_producer_id`; −1 for none.
    #[field(versions = "1+", tag = 3, default = -1)]
    pub next_producer_epoch: i16,
    /// How long a transaction may stay open without a word from its producer, ms.
    pub transaction_timeout_ms: i32,
    /// 0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 complete commit, 5 complete abort, 6 dead, 7
    /// prepare epoch fence.
    pub transaction_status: i8,
    /// The partitions in the transaction; null if it is empty.
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// When the state last changed, ms since 1970.
    pub transaction_last_update_timestamp_ms: i64,
    /// When the transaction began, ms since 1970; −1 if none is open.
    pub transaction_start_timestamp_ms: i64,
    /// The version of transactions that the client uses (KIP-890).
    #[field(versions = "1+", tag = 2)]
    pub client_transaction_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct PartitionsSchema {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions' numbers.
    pub partition_ids: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
