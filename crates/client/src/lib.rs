//! Producer, consumer and admin for any Kafka cluster.
mod backoff;
mod client;
mod cluster;
mod config;
mod error;
mod producer;
mod random;
mod wire;

pub use crate::client::Client;
pub use crate::cluster::{BrokerInfo, PartitionInfo, TopicInfo};
pub use crate::config::ClientConfig;
pub use crate::error::{ClientError, ErrorKind, Result};
pub use crate::producer::{
    Acks, Delivery, Producer, ProducerConfig, ProducerRecord, RecordMetadata, partition_for_key,
};

pub use ottla_records::{Codec, Compression, RecordHeader};
pub use ottla_types::{
    Bytes, LeaderEpoch, NodeId, Offset, PartitionIndex, TimestampMs, TopicId, TopicName, TopicPartition,
};
