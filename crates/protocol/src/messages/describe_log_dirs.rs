//! Tells what is in a broker's log directories (KIP-113).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which partitions to look for; null for all.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 35, versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsRequest {
    /// The partitions by topic; null for all.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeLogDirsRequest {
    type Response = DescribeLogDirsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeLogDirsResponse {
        DescribeLogDirsResponse { error_code: error, ..Default::default() }
    }
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribableLogDirTopic {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The directories.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 35, versions = "1-5", flexible = "2+")]
pub struct DescribeLogDirsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    #[field(versions = "3+", ignorable)]
    pub error_code: ErrorCode,
    /// The outcome of each.
    pub results: Vec<DescribeLogDirsResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One directory.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeLogDirsResult {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The directory's absolute path.
    pub log_dir: ByteString,
    /// The topics.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Size of the disk in bytes; −1 if not known.
    #[field(versions = "4+", default = -1, ignorable)]
    pub total_bytes: i64,
    /// Free bytes of the disk; −1 if not known.
    #[field(versions = "4+", default = -1, ignorable)]
    pub usable_bytes: i64,
    /// Whether the directory gets no new replicas (KIP-1066).
    #[field(versions = "5+", ignorable)]
    pub is_cordoned: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeLogDirsTopic {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: Vec<DescribeLogDirsPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeLogDirsPartition {
    /// The partition's number in its topic.
    pub partition_index: i32,
    /// Bytes of its segments.
    pub partition_size: i64,
    /// How far the replica is behind its log end or high watermark, records.
    pub offset_lag: i64,
    /// Whether this replica is being moved here and will replace the current one.
    pub is_future_key: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
