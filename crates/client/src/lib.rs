//! Producer, consumer and admin for any Kafka cluster.
//!
//! Start with [`Client::connect`]; from it come a [`Producer`], a [`Consumer`] and an [`Admin`], which share
//! metadata and connections. `examples/produce.rs` and `examples/consume.rs` are whole programs; the `ottla`
//! command is a larger one.
//!
//! ```no_run
//! # async fn example() -> ottla_client::Result<()> {
//! use std::time::Duration;
//! use ottla_client::{Client, ConsumerConfig, OffsetSpec, ProducerConfig, ProducerRecord, TopicPartition};
//!
//! let client = Client::connect("127.0.0.1:9092").await?;
//! let producer = client.producer(ProducerConfig::default())?;
//! producer.send(ProducerRecord::new("greetings").value("hello")).await?.acknowledged().await?;
//!
//! let partition = TopicPartition::new("greetings", 0);
//! let mut consumer = client.consumer(ConsumerConfig::default())?;
//! consumer.assign([partition.clone()]);
//! consumer.seek_to(&partition, OffsetSpec::Earliest)?;
//! for record in consumer.poll(Duration::from_secs(1)).await? {
//!     println!("{}: {:?}", record.offset, record.value);
//! }
//! # Ok(()) }
//! ```
//!
//! What decides is free of I/O and tested so: the producer's accumulator, the consumer's positions and the
//! decoding of fetches, the group member, request matching, metadata. A thin tokio driver moves bytes between
//! them and the brokers.
//!
//! Boundary: plain TCP; no transactions, no fetch sessions, no consumer groups of the new protocol (KIP-848),
//! no throttling by quotas. It knows the wire and nothing of this platform's own brokers.
//!
//! Invariants: records of a partition are written in the order of their [`Producer::send`] calls; memory is
//! bounded by `buffer_memory` and the fetch sizes; nothing that a broker sends panics or sizes a reservation
//! beyond what has arrived; every error names its subject, and the remedy if there is one.

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
    Admin, Balance, BalanceMove, BrokerBalance, BrokerStanding, ClusterInfo, CommittedOffset, ConfigChange,
    ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym, CreatedTopic, EligibleLeaders, GroupInfo,
    GroupListing, GroupMember, Listening, LogDirInfo, MoveKind, MoveState, NewTopic, PartitionLag,
    QuorumEndpoint, QuorumInfo, QuorumReplica, Reassignment, RegisteredBroker,
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
    Bytes, DirectoryId, LeaderEpoch, NodeId, Offset, PartitionIndex, TimestampMs, TopicId, TopicName,
    TopicPartition,
};
