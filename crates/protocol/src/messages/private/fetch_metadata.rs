//! Brokers follow the metadata log: entries from an offset on, or a snapshot when the log does not reach back.

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// From where on to follow.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[cfg_attr(not(feature = "next-metadata-version"), message(key = 10000, versions = "0", flexible = "0+"))]
#[cfg_attr(feature = "next-metadata-version", message(key = 10000, versions = "0-1", flexible = "0+"))]
pub struct FetchMetadataRequest {
    /// The cluster's id.
    pub cluster_id: ByteString,
    /// The node that asks.
    pub node_id: i32,
    /// The broker's epoch: which of its registrations this is; −1 if not known.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// The epoch of the last controller that it heard of.
    pub epoch: i32,
    /// The last offset that the broker has; −1 for none.
    pub offset: i64,
    /// How long to wait for an entry, ms.
    pub max_wait_ms: i32,
    /// How many bytes of entries to answer with; one is sent even if it is larger.
    pub max_bytes: i32,
    /// Means nothing: what no older build can read.
    #[cfg(feature = "next-metadata-version")]
    #[field(versions = "1+", default = 1, ignorable)]
    pub next_format: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for FetchMetadataRequest {
    type Response = FetchMetadataResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> FetchMetadataResponse {
        FetchMetadataResponse { error_code: error, ..Default::default() }
    }
}

/// Entries, with a snapshot before them if one is needed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[cfg_attr(not(feature = "next-metadata-version"), message(key = 10000, versions = "0", flexible = "0+"))]
#[cfg_attr(feature = "next-metadata-version", message(key = 10000, versions = "0-1", flexible = "0+"))]
pub struct FetchMetadataResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The active controller; −1 if none is known.
    #[field(default = -1)]
    pub leader_id: i32,
    /// Its epoch.
    pub epoch: i32,
    /// The state up to `snapshot_offset`, if the log does not reach back far enough.
    #[field(default = null)]
    pub snapshot: Option<Bytes>,
    /// The offset after the last one that the snapshot covers; −1 without a snapshot.
    #[field(default = -1)]
    pub snapshot_offset: i64,
    /// The offset after the last committed entry.
    pub end_offset: i64,
    /// The entries from the offset wanted, or from the snapshot's end, on.
    pub entries: Vec<MetadataEntry>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry of the metadata log.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MetadataEntry {
    /// Its place in the log.
    pub offset: i64,
    /// The epoch of the controller that wrote it.
    pub epoch: i32,
    /// A batch of metadata records.
    pub payload: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
