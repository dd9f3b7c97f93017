//! Adds partitions to transactions (KIP-98), or checks that they are in them (KIP-890).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Version 3 and below: a producer adds partitions to its transaction. From version 4 on a broker adds or
/// verifies for many producers.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 24, versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnRequest {
    /// The transactions.
    #[field(versions = "4+")]
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// The transactional id.
    #[field(versions = "0-3")]
    pub v3_and_below_transactional_id: ByteString,
    /// The producer's id (KIP-98).
    #[field(versions = "0-3")]
    pub v3_and_below_producer_id: i64,
    /// The producer's epoch.
    #[field(versions = "0-3")]
    pub v3_and_below_producer_epoch: i16,
    /// The partitions that join the transaction.
    #[field(versions = "0-3")]
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AddPartitionsToTxnRequest {
    type Response = AddPartitionsToTxnResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> AddPartitionsToTxnResponse {
        if version >= 4 {
            return AddPartitionsToTxnResponse { error_code: error, ..Default::default() };
        }
        let topics = self.v3_and_below_topics.iter().map(|topic| AddPartitionsToTxnTopicResult {
            name: topic.name.clone(),
            results_by_partition: (topic.partitions.iter())
                .map(|&partition_index| AddPartitionsToTxnPartitionResult {
                    partition_index,
                    partition_error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        AddPartitionsToTxnResponse { results_by_topic_v3_and_below: topics.collect(), ..Default::default() }
    }
}

/// A transaction and its partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AddPartitionsToTxnTransaction {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch: fences its former incarnations.
    pub producer_epoch: i16,
    /// Whether to check that the partitions are in the transaction, and add none (KIP-890).
    pub verify_only: bool,
    /// The topics.
    pub topics: Vec<AddPartitionsToTxnTopic>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AddPartitionsToTxnTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 24, versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    #[field(versions = "4+", ignorable)]
    pub error_code: ErrorCode,
    /// The outcome of each transaction.
    #[field(versions = "4+")]
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// The outcome of each partition.
    #[field(versions = "0-3")]
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AddPartitionsToTxnResult {
    /// The transactional id; null without transactions.
    pub transactional_id: ByteString,
    /// The outcome of each partition.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AddPartitionsToTxnTopicResult {
    /// The name.
    pub name: ByteString,
    /// The outcome of each partition.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AddPartitionsToTxnPartitionResult {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Why the partition was not added, or 0.
    pub partition_error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
