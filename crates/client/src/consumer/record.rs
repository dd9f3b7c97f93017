//! What is received.

use std::sync::Arc;

use bytes::Bytes;
use ottla_records::RecordHeader;
use ottla_types::{Offset, PartitionIndex, TimestampMs, TopicName, TopicPartition};

/// A record from a partition. Key, value and headers share memory with the batch that they came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    pub(crate) source: Arc<TopicPartition>,
    /// Its position in its partition.
    pub offset: Offset,
    /// Milliseconds since 1970; −1 if it has none.
    pub timestamp: TimestampMs,
    /// `None` is Kafka's null.
    pub key: Option<Bytes>,
    /// `None` is Kafka's null.
    pub value: Option<Bytes>,
    /// In the order in which they were written; keys may repeat.
    pub headers: Vec<RecordHeader>,
}

impl ConsumerRecord {
    /// Its topic.
    pub fn topic(&self) -> &TopicName {
        &self.source.topic
    }

    /// Its partition's number.
    pub fn partition(&self) -> PartitionIndex {
        self.source.partition
    }

    /// Its topic and partition.
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.source
    }
}
