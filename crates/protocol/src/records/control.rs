//! Control records: keys and values of control batches in partitions, the metadata log and snapshots.

use crate::{ByteString, Message, TaggedFields, Uuid};

/// A leader of the metadata quorum took office (KIP-595).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage {
    /// The version of the message.
    pub version: i16,
    /// The node that won the election.
    pub leader_id: i32,
    /// The voters.
    pub voters: Vec<Voter>,
    /// The voters that elected the leader.
    pub granting_voters: Vec<Voter>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One voter.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Voter {
    /// The voter's node id.
    pub voter_id: i32,
    /// The id of the voter's metadata directory (KIP-853).
    #[field(versions = "1+")]
    pub voter_directory_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A snapshot's first record (KIP-630).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotHeaderRecord {
    /// The version of the record.
    pub version: i16,
    /// The timestamp of the last batch in the snapshot, ms since 1970.
    pub last_contained_log_timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A snapshot's last record (KIP-630).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct SnapshotFooterRecord {
    /// The version of the record.
    pub version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The level of `kraft.version` (KIP-853).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct KRaftVersionRecord {
    /// The version of the record.
    pub version: i16,
    /// The level of `kraft.version`.
    pub kraft_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The set of voters (KIP-853).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct VotersRecord {
    /// The version of the record.
    pub version: i16,
    /// The voters.
    pub voters: Vec<VotersVoter>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One voter.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct VotersVoter {
    /// The voter's node id.
    pub voter_id: i32,
    /// The id of the voter's metadata directory (KIP-853).
    pub voter_directory_id: Uuid,
    /// Where its listeners are reached.
    pub endpoints: Vec<Endpoint>,
    /// Which levels of `kraft.version` the voter supports.
    pub kraft_version_feature: KRaftVersionFeature,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Endpoint {
    /// The listener's name.
    pub name: ByteString,
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Levels of `kraft.version` that a voter supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct KRaftVersionFeature {
    /// The lowest level that the node supports.
    pub min_supported_version: i16,
    /// The highest level that the node supports.
    pub max_supported_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A transaction's end, in the value of its control record.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "none")]
pub struct EndTxnMarker {
    /// The epoch of the transaction coordinator.
    pub coordinator_epoch: i32,
}

/// A control record's key: what its value is.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "none")]
pub struct ControlRecordTypeSchema {
    /// 0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer, 5 kraft.version, 6 voters.
    pub r#type: i16,
}
