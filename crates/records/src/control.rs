//! Control records: what the platform writes among an application's records (KIP-98, KIP-595).
//!
//! ```text
//! key   │ version i16 │ type i16 │
//! value │ version i16 │ coordinator epoch i32 │      of ABORT and COMMIT
//! ```

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, TimestampMs};

use crate::cursor::Cursor;
use crate::{BatchBuilder, Record, RecordsError};

/// What a control record says (`ControlRecordType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// The producer's transaction did not happen.
    Abort,
    /// The producer's transaction happened.
    Commit,
    /// A leader of the metadata quorum took office.
    LeaderChange,
    /// A snapshot starts.
    SnapshotHeader,
    /// A snapshot is complete.
    SnapshotFooter,
    /// The version of the quorum protocol.
    KRaftVersion,
    /// The voters of the quorum.
    KRaftVoters,
    /// A type of a later version; readers skip it.
    Unknown(i16),
}

impl ControlType {
    /// Its number in the key.
    pub const fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KRaftVersion => 5,
            Self::KRaftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    /// The type with this number.
    pub const fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KRaftVersion,
            6 => Self::KRaftVoters,
            other => Self::Unknown(other),
        }
    }

    /// Reads a control record's key. Keys of later versions may be longer.
    pub fn parse(key: &[u8]) -> Result<Self, RecordsError> {
        let mut cursor = Cursor::new(key, 0, 0);
        let version = i16::from_be_bytes(cursor.array("control record version")?);
        if version < 0 {
            let found = i64::from(version);
            return Err(RecordsError::invalid("control record version", 0, "0 or more", found));
        }
        Ok(Self::from_id(i16::from_be_bytes(cursor.array("control record type")?)))
    }

    /// The key of a record of this type.
    pub fn key(self) -> [u8; 4] {
        let [a, b] = self.id().to_be_bytes();
        [0, 0, a, b]
    }
}

/// The end of a producer's transaction on one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// Whether the transaction's records count.
    pub commit: bool,
    /// Epoch of the transaction coordinator; an older one is fenced.
    pub coordinator_epoch: i32,
}

impl EndTxnMarker {
    /// The marker in `record` of a control batch, or `None` if it is a control record of another kind.
    pub fn parse(record: &Record) -> Result<Option<Self>, RecordsError> {
        let commit = match ControlType::parse(record.key.as_deref().unwrap_or_default())? {
            ControlType::Commit => true,
            ControlType::Abort => false,
            _ => return Ok(None),
        };
        let mut cursor = Cursor::new(record.value.as_deref().unwrap_or_default(), 0, 0);
        let version = i16::from_be_bytes(cursor.array("end marker version")?);
        if version < 0 {
            let found = i64::from(version);
            return Err(RecordsError::invalid("end marker version", 0, "0 or more", found));
        }
        Ok(Some(Self { commit, coordinator_epoch: cursor.i32("coordinator epoch")? }))
    }

    /// The control batch that ends the transaction of a producer at `base_offset`.
    pub fn batch(
        self,
        base_offset: Offset,
        leader_epoch: LeaderEpoch,
        now: TimestampMs,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
    ) -> Result<Bytes, RecordsError> {
        let kind = if self.commit { ControlType::Commit } else { ControlType::Abort };
        let mut builder = BatchBuilder::new()
            .base_offset(base_offset)
            .leader_epoch(leader_epoch)
            .transactional(true)
            .control(true);
        builder.set_producer(producer_id, producer_epoch, -1);
        builder.append(now, Some(&kind.key()), Some(&self.value()), &[])?;
        builder.build()
    }

    /// The marker record's value.
    pub fn value(self) -> [u8; 6] {
        let [a, b, c, d] = self.coordinator_epoch.to_be_bytes();
        [0, 0, a, b, c, d]
    }
}
