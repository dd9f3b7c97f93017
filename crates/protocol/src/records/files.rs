//! What Kafka keeps in files of its own besides the logs.

use crate::{ByteString, Message, TaggedFields, Uuid};

/// `*.snapshot`: the producers of a partition up to an offset, behind their version.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "1", flexible = "none")]
pub struct ProducerSnapshot {
    /// CRC-32C of everything after this field.
    pub crc: u32,
    /// The producers, one entry each.
    pub producer_entries: Vec<ProducerEntry>,
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ProducerEntry {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The producer's epoch.
    pub epoch: i16,
    /// The sequence number of its last record; −1 for none.
    pub last_sequence: i32,
    /// The last offset that the producer wrote.
    pub last_offset: i64,
    /// How many records the last batch has, less one.
    pub offset_delta: i32,
    /// The greatest timestamp of its last batch, ms since 1970.
    pub timestamp: i64,
    /// The epoch of the transaction coordinator that wrote its last marker; −1 for none.
    pub coordinator_epoch: i32,
    /// The first offset of the producer's open transaction; −1 for none.
    pub current_txn_first_offset: i64,
}

/// An entry of `*.txnindex`, behind its version.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "none")]
pub struct AbortedTxn {
    /// The producer's id (KIP-98).
    pub producer_id: i64,
    /// The transaction's first offset in this partition.
    pub first_offset: i64,
    /// The offset of the marker that aborted it.
    pub last_offset: i64,
    /// The last stable offset once it was aborted.
    pub last_stable_offset: i64,
}

/// `quorum-state` of Kafka's metadata log (KIP-595): its election state.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct QuorumStateData {
    /// The cluster's id.
    #[field(versions = "0")]
    pub cluster_id: ByteString,
    /// The leader's node id; −1 if the node knows none.
    #[field(default = -1)]
    pub leader_id: i32,
    /// The epoch.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// The candidate that the node voted for in this epoch; −1 for none.
    #[field(default = -1)]
    pub voted_id: i32,
    /// That candidate's log directory.
    #[field(versions = "1+")]
    pub voted_directory_id: Uuid,
    /// Unused.
    #[field(versions = "0")]
    pub applied_offset: i64,
    /// The voters.
    #[field(versions = "0")]
    pub current_voters: Option<Vec<Voter>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One voter.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Voter {
    /// The voter's node id.
    pub voter_id: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
