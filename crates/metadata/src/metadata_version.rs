//! The levels of `metadata.version`, and which version of each metadata record is written at each (Kafka's
//! `MetadataVersion`).
//!
//! ```text
//!  build           17 ─────────────── supports ─────────────── 30
//!  cluster                    21 finalized: records are written as level 21 has them, by every build alike
//! ```
//! What is written follows from the finalized level, never from the build, so that a build that supports more can be put in
//! place of another, and taken back, node by node; what is read is any version that the build knows. A level is finalized
//! by UpdateFeatures once all nodes support it.

use ottla_protocol::records::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord,
    RegisterBrokerRecord,
};
use ottla_protocol::{RecordMessage, Version};

/// One row of the table.
#[derive(Debug)]
struct Level {
    level: i16,
    /// Kafka's name for it, as `kafka-features --metadata` takes it.
    name: &'static str,
    /// The records that have another version from this level on: their type, and that version.
    records: &'static [(i16, Version)],
}

const REGISTER_BROKER: i16 = RegisterBrokerRecord::RECORD_TYPE;
const REGISTRATION_CHANGE: i16 = BrokerRegistrationChangeRecord::RECORD_TYPE;
const PARTITION: i16 = PartitionRecord::RECORD_TYPE;
const PARTITION_CHANGE: i16 = PartitionChangeRecord::RECORD_TYPE;

/// Ascending, without a gap. Below, records do not say in which log directory a replica is (KIP-858), on which registrations
/// and restarts rely. Record types that are not named have version 0.
const LEVELS: &[Level] = &[
    level(
        17,
        "3.7-IV2",
        &[(REGISTER_BROKER, 3), (REGISTRATION_CHANGE, 2), (PARTITION, 1), (PARTITION_CHANGE, 1)],
    ),
    level(18, "3.7-IV3", &[]),
    level(19, "3.7-IV4", &[]),
    level(20, "3.8-IV0", &[]),
    level(21, "3.9-IV0", &[]),
    level(22, "4.0-IV0", &[]),
    // Eligible leader replicas (KIP-966).
    level(ELR, "4.0-IV1", &[(PARTITION, 2), (PARTITION_CHANGE, 2)]),
    level(24, "4.0-IV2", &[]),
    level(25, "4.0-IV3", &[]),
    level(26, "4.1-IV0", &[]),
    level(27, "4.1-IV1", &[]),
    level(28, "4.2-IV0", &[]),
    level(29, "4.2-IV1", &[]),
    // Log directories that take no new replicas (KIP-1066).
    level(CORDONED, "4.3-IV0", &[(REGISTER_BROKER, 4), (REGISTRATION_CHANGE, 3)]),
    // Of no release: what rolling restarts onto a newer format are tested with.
    #[cfg(feature = "next-metadata-version")]
    level(31, "next", &[(REGISTER_BROKER, 5)]),
];

const ELR: i16 = 23;
const CORDONED: i16 = 30;
const LATEST_PRODUCTION: i16 = 30;

const fn level(level: i16, name: &'static str, records: &'static [(i16, Version)]) -> Level {
    Level { level, name, records }
}

/// A level of `metadata.version` that this build supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetadataVersion(i16);

impl MetadataVersion {
    /// The lowest.
    pub const MINIMUM: Self = Self(LEVELS[0].level);
    /// What a new cluster begins with: the highest that a release has finalized.
    pub const LATEST_PRODUCTION: Self = Self(LATEST_PRODUCTION);
    /// From here on records can tell of eligible leader replicas (KIP-966).
    pub const ELR_FROM: Self = Self(ELR);
    /// The highest.
    pub const LATEST: Self = Self(LEVELS[LEVELS.len() - 1].level);

    /// The level of this number; `None` if this build does not support it.
    pub fn from_level(level: i16) -> Option<Self> {
        (Self::MINIMUM.0..=Self::LATEST.0).contains(&level).then_some(Self(level))
    }

    /// Its number.
    pub const fn level(self) -> i16 {
        self.0
    }

    /// Kafka's name for it, such as `4.3-IV0`.
    pub fn name(self) -> &'static str {
        up_to(self.0).last().map_or("", |level| level.name)
    }

    /// The version in which `record` is written.
    pub fn record_version(self, record: &MetadataRecord) -> Version {
        let (record_type, levels) = (record.record_type(), up_to(self.0));
        let versions = levels.iter().rev().flat_map(|level| level.records);
        versions.into_iter().find(|(of, _)| *of == record_type).map_or(0, |(_, version)| *version)
    }

    /// Whether records can tell of eligible leader replicas (KIP-966).
    pub const fn has_elr(self) -> bool {
        self.0 >= Self::ELR_FROM.0
    }

    /// Whether records can tell of log directories that take no new replicas (KIP-1066).
    pub const fn has_cordoned_directories(self) -> bool {
        self.0 >= CORDONED
    }

    /// Whether records look the same at the lower level `to`: going there loses nothing
    /// (`MetadataVersion.checkIfMetadataChanged`).
    pub fn is_written_as(self, to: Self) -> bool {
        up_to(self.0).iter().filter(|level| level.level > to.0).all(|level| level.records.is_empty())
    }
}

fn up_to(level: i16) -> &'static [Level] {
    let count = LEVELS.partition_point(|row| row.level <= level);
    LEVELS.get(..count).unwrap_or(LEVELS)
}

#[cfg(test)]
#[path = "metadata_version_test.rs"]
mod tests;
