//! What is sent, and what comes of it.

use bytes::Bytes;
use ottla_records::RecordHeader;
use ottla_types::{Offset, PartitionIndex, TimestampMs, TopicName, TopicPartition};

/// A record to send.
///
/// ```
/// use ottla_client::ProducerRecord;
///
/// let record = ProducerRecord::new("orders").key("customer-7").value("2 shirts").header("trace", "a1b2");
/// assert_eq!(record.value.unwrap(), "2 shirts");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerRecord {
    /// Where it goes.
    pub topic: TopicName,
    /// The partition, or `None` to let the key decide, and without a key the load.
    pub partition: Option<PartitionIndex>,
    /// `None` is Kafka's null.
    pub key: Option<Bytes>,
    /// `None` is Kafka's null: on a compacted topic it deletes the key.
    pub value: Option<Bytes>,
    /// In order; keys may repeat.
    pub headers: Vec<RecordHeader>,
    /// Milliseconds since 1970; `None` is the time of sending.
    pub timestamp: Option<TimestampMs>,
}

impl ProducerRecord {
    /// A record without key and value.
    pub fn new(topic: impl Into<TopicName>) -> Self {
        Self { topic: topic.into(), ..Self::default() }
    }

    /// Sets the key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// Sets the partition.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<PartitionIndex>) -> Self {
        self.partition = Some(partition.into());
        self
    }

    /// Sets the timestamp, milliseconds since 1970.
    #[must_use]
    pub const fn timestamp(mut self, timestamp: TimestampMs) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Self {
        self.headers.push(RecordHeader::new(key, value));
        self
    }
}

/// Where an acknowledged record is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordMetadata {
    /// Its topic and partition.
    pub partition: TopicPartition,
    /// Its offset; unknown with [`Acks::None`](crate::Acks::None), and when the acknowledgement of the
    /// first of several attempts was lost.
    pub offset: Option<Offset>,
    /// Its timestamp: the record's, or the broker's on topics with LogAppendTime. Milliseconds since 1970.
    pub timestamp: TimestampMs,
}
