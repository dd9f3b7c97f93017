//! What can go wrong, in words that say what to do.

use std::fmt;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_types::{NodeId, Offset, PartitionIndex, TopicName, TopicPartition};

/// What this crate's calls return.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// Why a call failed. The text names the thing and the remedy; [`ClientError::kind`] sorts for programs.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection to any of the addresses.
    #[error(
        "no broker answers at {addresses}: {reason}; check that one runs there and that the address is right"
    )]
    Unreachable {
        /// What was tried.
        addresses: String,
        /// What the operating system or the peer said last.
        reason: String,
    },
    /// A connection broke while something waited for it.
    #[error("the connection to {broker} was lost: {reason}")]
    Disconnected {
        /// The broker's address.
        broker: String,
        /// What happened.
        reason: String,
    },
    /// Time ran out, with the last reason for trying again.
    #[error("{what} took longer than {after:?}{}", because(.last))]
    Timeout {
        /// What was being done.
        what: String,
        /// The limit.
        after: Duration,
        /// Why the last attempt failed, or empty.
        last: String,
    },
    /// The broker and this client have no version of a request in common.
    #[error(
        "{broker} offers {offered} of {api} but this client needs {needed}; upgrade the older of the two, or, if this is a controller listener, name a broker's"
    )]
    UnsupportedVersion {
        /// The broker's address.
        broker: String,
        /// The request.
        api: String,
        /// What the broker offers.
        offered: String,
        /// What this client can send.
        needed: String,
    },
    /// A broker refused.
    #[error("{what}: {}: {}{}", .code.name(), words(*.code, .message), then(remedy(*.code)))]
    Broker {
        /// What was asked for, with the name of its subject.
        what: String,
        /// Kafka's error.
        code: ErrorCode,
        /// The broker's own words, or empty.
        message: String,
    },
    /// The cluster has no such topic.
    #[error(
        "topic {topic} does not exist; check the spelling, or create it with `ottla topic create {topic}`"
    )]
    UnknownTopic {
        /// Its name.
        topic: TopicName,
    },
    /// The topic has fewer partitions.
    #[error("topic {topic} has no partition {partition}; it has partitions 0 to {}", .count - 1)]
    UnknownPartition {
        /// Its topic.
        topic: TopicName,
        /// Its number.
        partition: PartitionIndex,
        /// How many partitions there are.
        count: usize,
    },
    /// The cluster has no such broker, for the moment at least.
    #[error("broker {broker} is not up; start it, or look with `ottla cluster info` which brokers there are")]
    UnknownBroker {
        /// Its id.
        broker: NodeId,
    },
    /// The cluster has no such group.
    #[error("group {group} does not exist; `ottla group list` shows those that do")]
    UnknownGroup {
        /// Its id.
        group: String,
    },
    /// A position outside of the log, and no policy to find another.
    #[error(
        "offset {offset} of {partition} is not in the log; seek to another, or set auto.offset.reset to earliest or latest"
    )]
    OffsetOutOfRange {
        /// The partition.
        partition: TopicPartition,
        /// The position.
        offset: Offset,
    },
    /// No committed offset, and no policy to find one.
    #[error(
        "{partition} has no committed offset; commit one, or set auto.offset.reset to earliest or latest"
    )]
    NoOffset {
        /// The partition.
        partition: TopicPartition,
    },
    /// A record that no batch can hold.
    #[error(
        "a record of {size} bytes for topic {topic} exceeds max.request.size ({limit}); raise it, and max.message.bytes of the topic, or send less"
    )]
    RecordTooLarge {
        /// Its topic.
        topic: TopicName,
        /// Its size, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// Bytes that do not follow the protocol.
    #[error("{broker} sent something unreadable: {reason}; this is a defect of one side, please report it")]
    Malformed {
        /// The broker's address.
        broker: String,
        /// What is wrong.
        reason: String,
    },
    /// A batch of records that cannot be read.
    #[error("{partition} at offset {offset} cannot be read: {reason}; seek past it to go on")]
    CorruptRecords {
        /// The partition.
        partition: TopicPartition,
        /// Where the fetch started.
        offset: Offset,
        /// What is wrong.
        reason: String,
    },
    /// A value that the caller gave.
    #[error("{what} is {value}; expected {expected}")]
    Invalid {
        /// The setting or argument.
        what: &'static str,
        /// Its value.
        value: String,
        /// The rule.
        expected: &'static str,
    },
    /// The producer or consumer was closed.
    #[error("the {what} is closed")]
    Closed {
        /// `producer` or `consumer`.
        what: &'static str,
    },
}

/// What a program may want to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A topic, partition or group is not there.
    NotFound,
    /// No broker could be reached, or not in time.
    Unreachable,
    /// The caller asked for something that cannot be.
    Invalid,
    /// The caller may not do this.
    Denied,
    /// Something of that name is there already.
    Exists,
    /// Anything else.
    Other,
}

impl ClientError {
    /// Sorts the error for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownTopic { .. }
            | Self::UnknownPartition { .. }
            | Self::UnknownGroup { .. }
            | Self::UnknownBroker { .. } => ErrorKind::NotFound,
            Self::Unreachable { .. } | Self::Disconnected { .. } | Self::Timeout { .. } => {
                ErrorKind::Unreachable
            }
            Self::RecordTooLarge { .. } | Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Broker { code, .. } => kind_of(*code),
            _ => ErrorKind::Other,
        }
    }

    /// Whether the same call may succeed later, after a look at fresh metadata.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Disconnected { .. } | Self::Unreachable { .. } | Self::UnknownBroker { .. } => true,
            Self::Broker { code, .. } => code.is_retriable(),
            _ => false,
        }
    }

    /// Kafka's error, if a broker sent one.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Broker { code, .. } => Some(*code),
            _ => None,
        }
    }

    pub(crate) fn broker(what: impl fmt::Display, code: ErrorCode, message: Option<&str>) -> Self {
        Self::Broker { what: what.to_string(), code, message: message.unwrap_or_default().to_owned() }
    }
}

/// `Ok` for NONE, otherwise an error that says what failed.
pub(crate) fn check(code: ErrorCode, message: Option<&str>, what: impl FnOnce() -> String) -> Result<()> {
    if code == ErrorCode::NONE { Ok(()) } else { Err(ClientError::broker(what(), code, message)) }
}

fn kind_of(code: ErrorCode) -> ErrorKind {
    match code {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::UNKNOWN_TOPIC_ID
        | ErrorCode::GROUP_ID_NOT_FOUND => ErrorKind::NotFound,
        ErrorCode::TOPIC_ALREADY_EXISTS => ErrorKind::Exists,
        ErrorCode::TOPIC_AUTHORIZATION_FAILED
        | ErrorCode::GROUP_AUTHORIZATION_FAILED
        | ErrorCode::CLUSTER_AUTHORIZATION_FAILED => ErrorKind::Denied,
        ErrorCode::INVALID_CONFIG
        | ErrorCode::INVALID_PARTITIONS
        | ErrorCode::INVALID_REPLICATION_FACTOR
        | ErrorCode::INVALID_REPLICA_ASSIGNMENT
        | ErrorCode::INVALID_REQUEST
        | ErrorCode::INVALID_TOPIC_EXCEPTION
        | ErrorCode::INVALID_GROUP_ID
        | ErrorCode::MESSAGE_TOO_LARGE => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

/// What to do about an error of a broker; empty if its name says it all.
fn remedy(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::TOPIC_ALREADY_EXISTS => "choose another name, or delete the topic first",
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => "create the topic, or check the spelling",
        ErrorCode::MESSAGE_TOO_LARGE => "send less at once, or raise max.message.bytes of the topic",
        ErrorCode::INVALID_REPLICATION_FACTOR => "ask for at most as many replicas as there are brokers",
        ErrorCode::INVALID_PARTITIONS => "partitions can only be added, and there must be at least one",
        ErrorCode::INVALID_TOPIC_EXCEPTION => "use 1 to 249 ASCII letters, digits, '.', '_' and '-'",
        ErrorCode::NOT_ENOUGH_REPLICAS | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND => {
            "bring brokers back, or lower min.insync.replicas of the topic"
        }
        ErrorCode::NON_EMPTY_GROUP => "stop the group's members first",
        ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC => "stop the members that read the topic first",
        ErrorCode::FENCED_INSTANCE_ID => "give each member its own group.instance.id",
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL => {
            "members of one group must share an assignor; use another group id"
        }
        ErrorCode::GROUP_MAX_SIZE_REACHED => "use fewer members, or raise group.max.size of the brokers",
        ErrorCode::INVALID_SESSION_TIMEOUT => {
            "choose a session timeout within group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers"
        }
        ErrorCode::BROKER_NOT_AVAILABLE => {
            "start it, or look with `ottla cluster info` which brokers there are"
        }
        ErrorCode::KAFKA_STORAGE_ERROR => "look at the broker's log: its disk failed or is full",
        ErrorCode::TOPIC_AUTHORIZATION_FAILED
        | ErrorCode::GROUP_AUTHORIZATION_FAILED
        | ErrorCode::CLUSTER_AUTHORIZATION_FAILED => "ask an administrator for an ACL",
        ErrorCode::UNSUPPORTED_COMPRESSION_TYPE => "use another compression type",
        ErrorCode::INVALID_RECORD => "a compacted topic needs a key in every record",
        _ => "",
    }
}

/// The broker's own words, or what the code means.
fn words(code: ErrorCode, message: &str) -> &str {
    if message.is_empty() { code.message() } else { message.trim_end_matches('.') }
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {}", reason.trim_end_matches('.')) }
}

fn then(remedy: &str) -> String {
    if remedy.is_empty() { String::new() } else { format!("; {remedy}") }
}
