//! Producer, consumer and admin for any Kafka cluster.
mod admin;
mod backoff;
mod client;
mod cluster;
mod config;
mod consumer;
mod error;
mod producer;
mod random;
mod wire;

pub use crate::admin::{
    Admin, ClusterInfo, CommittedOffset, ConfigChange, ConfigEntry, ConfigResource, ConfigSource,
    ConfigSynonym, CreatedTopic, GroupInfo, GroupListing, GroupMember, NewTopic, PartitionLag,
};
pub use crate::client::Client;
pub use crate::cluster::{BrokerInfo, IsolationLevel, ListedOffset, OffsetSpec, PartitionInfo, TopicInfo};
pub use crate::config::ClientConfig;
pub use crate::consumer::{Assignor, Consumer, ConsumerConfig, ConsumerRecord, OffsetReset};
pub use crate::error::{ClientError, ErrorKind, Result};
pub use crate::producer::{
    Acks, Delivery, Producer, ProducerConfig, ProducerRecord, RecordMetadata, partition_for_key,
};

pub use ottla_records::{Codec, Compression, RecordHeader};
pub use ottla_types::{
    Bytes, LeaderEpoch, NodeId, Offset, PartitionIndex, TimestampMs, TopicId, TopicName, TopicPartition,
};
