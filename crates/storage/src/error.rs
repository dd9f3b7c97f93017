//! Why storage refuses or fails.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_records::RecordsError;
use ottla_types::{DirectoryId, LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, TimestampMs};

/// What a disk did, or what was found on it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// No space is left. Nothing was changed; it works again once there is space.
    #[error("no space left on device for {path}; free some, the partition then serves again by itself")]
    Full {
        /// What was being written.
        path: PathBuf,
    },
    /// The process has no descriptor left. Nothing was changed; it works again once there is one.
    #[error("too many open files for {path}; raise the limit (ulimit -n), or max.connections is too high")]
    TooManyOpenFiles {
        /// What was being opened.
        path: PathBuf,
    },
    /// The directory failed before, or does now: every write to any of its partitions is refused.
    #[error("log directory {dir} is offline: {reason}; check the device, then restart the broker")]
    Offline {
        /// The log directory.
        dir: PathBuf,
        /// The first failure.
        reason: String,
    },
    /// A read failed.
    #[error("cannot {op} {path}: {source}")]
    Io {
        /// What was tried.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// What the operating system says.
        source: Arc<io::Error>,
    },
    /// Bytes that were once synced are gone or changed. Nothing was cut off: the replica must be refetched from another
    /// one, or given up by an operator.
    #[error(
        "{path} is damaged: {reason}. Nothing was cut off: restore it from a copy, or let it be copied from other replicas; if there are none, delete the topic"
    )]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file of ours is of a format that this build does not know.
    #[error("{path} has format {found}, this build reads {known}: run the newer build that wrote it")]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest that this build reads.
        known: u32,
    },
    /// A write failed in a way that leaves this partition's memory and disk in doubt.
    #[error("partition {path} is unusable after a failed write; restart the broker to recover it")]
    Poisoned {
        /// The partition's folder.
        path: PathBuf,
    },
}

impl StorageError {
    pub(crate) fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        if is_full(&source) {
            return Self::Full { path: path.to_owned() };
        }
        if is_out_of_files(&source) {
            return Self::TooManyOpenFiles { path: path.to_owned() };
        }
        Self::Io { op, path: path.to_owned(), source: Arc::new(source) }
    }

    /// Whether it passes by itself and nothing is in doubt: the same may be tried again later.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::TooManyOpenFiles { .. })
    }

    pub(crate) fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.into() }
    }
}

/// Whether the process (EMFILE) or the system (ENFILE) has no descriptor left: says nothing about the device.
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Whether the operating system says that there is no space (or no quota).
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Why a log directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed, or a file of the directory itself is damaged.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Another process has it open.
    #[error("log directory {dir} is in use by another process; stop it, or set another log.dirs")]
    Locked {
        /// The log directory.
        dir: PathBuf,
    },
    /// It belongs to another cluster.
    #[error(
        "log directory {dir} belongs to cluster {found}, but this node is of cluster {expected}; set another log.dirs or cluster"
    )]
    OtherCluster {
        /// The log directory.
        dir: PathBuf,
        /// This node's cluster.
        expected: String,
        /// In `meta.properties`.
        found: String,
    },
    /// It belongs to another node.
    #[error(
        "log directory {dir} belongs to node {found}, but this is node {expected}; set node.id={found} or another log.dirs"
    )]
    OtherNode {
        /// The log directory.
        dir: PathBuf,
        /// This node.
        expected: NodeId,
        /// In `meta.properties`.
        found: NodeId,
    },
    /// Two directories of one node carry the same id, or a directory another id than expected.
    #[error(
        "log directory {dir} has id {found}, but {expected} was expected; was it copied or mounted elsewhere?"
    )]
    OtherDirectory {
        /// The log directory.
        dir: PathBuf,
        /// Expected id.
        expected: DirectoryId,
        /// In `meta.properties`.
        found: DirectoryId,
    },
}

/// One record that makes a batch invalid: `record_errors` of a produce response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The record's place in its batch, from 0.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

/// Why records are not appended. Nothing was written, except where a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Not exactly one batch, or a batch against the rules for producers (Kafka: INVALID_RECORD).
    #[error("{message}")]
    InvalidRecord {
        /// What is wrong.
        message: String,
        /// Which records, where that is known.
        record_errors: Vec<RecordError>,
    },
    /// A record's time is out of `message.timestamp.before.max.ms` / `message.timestamp.after.max.ms`
    /// (Kafka: INVALID_TIMESTAMP).
    #[error("timestamps must be within [{earliest}, {latest}]")]
    InvalidTimestamp {
        /// The earliest that is accepted now, ms.
        earliest: TimestampMs,
        /// The latest that is accepted now, ms.
        latest: TimestampMs,
        /// Which records.
        record_errors: Vec<RecordError>,
    },
    /// The batch is not what was checksummed, or no batch at all (Kafka: CORRUPT_MESSAGE).
    #[error("the batch is damaged: {0}")]
    Corrupt(RecordsError),
    /// Magic 0 or 1 (Kafka: UNSUPPORTED_FOR_MESSAGE_FORMAT).
    #[error("record format {magic} is not accepted; produce with a client of Kafka 0.11 or later")]
    UnsupportedFormat {
        /// The magic byte.
        magic: i8,
    },
    /// A codec that is not known (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
    #[error("{0}")]
    UnsupportedCompression(RecordsError),
    /// Over `max.message.bytes` (Kafka: MESSAGE_TOO_LARGE).
    #[error("the batch has {size} bytes; max.message.bytes allows {max}")]
    MessageTooLarge {
        /// The batch, bytes.
        size: u64,
        /// The limit, bytes.
        max: u64,
    },
    /// Over `segment.bytes` (Kafka: RECORD_LIST_TOO_LARGE).
    #[error("the batch has {size} bytes; segment.bytes allows {max}")]
    BatchTooLarge {
        /// The batch, bytes.
        size: u64,
        /// The limit, bytes.
        max: u64,
    },
    /// A gap or repetition in a producer's sequence numbers (Kafka: OUT_OF_ORDER_SEQUENCE_NUMBER).
    #[error(
        "producer {producer_id} sent sequence {found} after {last} (−1: none); sequences must follow each other"
    )]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The first sequence number of the batch.
        found: i32,
        /// The last one that the log has.
        last: i32,
    },
    /// A newer incarnation of the producer has written (Kafka: INVALID_PRODUCER_EPOCH).
    #[error("producer {producer_id} has epoch {current}; {found} is fenced")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        found: ProducerEpoch,
        /// The log's.
        current: ProducerEpoch,
    },
    /// A batch outside of a transaction while one is open (Kafka: INVALID_TXN_STATE).
    #[error("producer {producer_id} has an open transaction; the batch is not part of it")]
    InvalidTxnState {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A marker of a former transaction coordinator (Kafka: TRANSACTION_COORDINATOR_FENCED).
    #[error(
        "the marker for producer {producer_id} is of coordinator epoch {found}; {current} has written already"
    )]
    TransactionCoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The marker's coordinator epoch.
        found: i32,
        /// The log's.
        current: i32,
    },
    /// An append in an older leader epoch than the log has.
    #[error("leader epoch {found} is fenced; the log has epoch {current}")]
    FencedLeaderEpoch {
        /// The append's epoch.
        found: LeaderEpoch,
        /// The log's latest.
        current: LeaderEpoch,
    },
    /// A follower was given batches that do not continue its log.
    #[error("the batch at offset {found} does not continue the log, which ends at {expected}")]
    OffsetsOutOfOrder {
        /// The log's end.
        expected: Offset,
        /// The batch's base offset.
        found: Offset,
    },
    /// The disk refused or failed (Kafka: KAFKA_STORAGE_ERROR).
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl AppendError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidRecord { message: message.into(), record_errors: Vec::new() }
    }
}

/// Why nothing is read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// Outside of the log (Kafka: OFFSET_OUT_OF_RANGE).
    #[error("offset {offset} is outside of the log, which has {log_start} to {end}")]
    OffsetOutOfRange {
        /// What was asked for.
        offset: Offset,
        /// The first offset.
        log_start: Offset,
        /// The log's end.
        end: Offset,
    },
    /// The disk failed, or what is on it is damaged.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
