//! Finalized features: the levels that the whole cluster works at.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_types::ByteString;

use crate::metadata_version::MetadataVersion;

/// The name of the feature that stands for Kafka's metadata format.
pub const METADATA_VERSION: &str = "metadata.version";
/// The name of the feature that turns eligible leader replicas on (KIP-966).
pub const ELR_VERSION: &str = "eligible.leader.replicas.version";

/// The features that this build knows, each with its lowest and highest level: what nodes say that they support, and what
/// may be finalized. Groups and transactions of the new kind come with later versions.
pub const SUPPORTED_FEATURES: &[(&str, i16, i16)] = &[
    (METADATA_VERSION, MetadataVersion::MINIMUM.level(), MetadataVersion::LATEST.level()),
    (ELR_VERSION, 0, 1),
];

/// A feature is at a level that this build does not support.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cluster is at level {level} of {feature}, but this build supports {min} to {max}: {}", remedy(*level, *max))]
pub struct UnsupportedLevel {
    /// The feature.
    pub feature: ByteString,
    /// The finalized level.
    pub level: i16,
    /// The lowest that this build supports.
    pub min: i16,
    /// The highest; 0 for a feature that it does not know.
    pub max: i16,
}

fn remedy(level: i16, max: i16) -> &'static str {
    if level > max {
        "run a newer one; once a level is finalized there is no way back"
    } else {
        "run the former one, raise the level there (kafka-features upgrade), then come back"
    }
}

/// Whether this build can work in a cluster where `level` of `feature` is finalized.
pub fn check_supported(feature: &ByteString, level: i16) -> Result<(), UnsupportedLevel> {
    let known = SUPPORTED_FEATURES.iter().find(|(name, ..)| feature == *name);
    let (min, max) = known.map_or((0, 0), |&(_, min, max)| (min, max));
    // Level 0 is a feature that is off.
    if level == 0 || (min..=max).contains(&level) {
        return Ok(());
    }
    Err(UnsupportedLevel { feature: ByteString::from(&**feature), level, min, max })
}

/// The finalized level of each feature. A feature at level 0 is off and not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    levels: Arc<BTreeMap<ByteString, i16>>,
}

impl Features {
    /// The level of the feature called `name`; 0 means off.
    pub fn level(&self, name: &str) -> i16 {
        self.levels.get(name).copied().unwrap_or(0)
    }

    /// All features that are on, ordered by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ByteString, i16)> {
        self.levels.iter().map(|(name, level)| (name, *level))
    }

    /// The finalized level of `metadata.version`, which says how records are written. Before there is one, only what
    /// finalizes it can be.
    pub fn metadata_version(&self) -> MetadataVersion {
        MetadataVersion::from_level(self.level(METADATA_VERSION)).unwrap_or(MetadataVersion::MINIMUM)
    }

    /// Whether eligible leader replicas are on.
    pub fn elr_enabled(&self) -> bool {
        self.level(ELR_VERSION) > 0
    }

    pub(crate) fn set(&mut self, name: ByteString, level: i16) {
        let levels = Arc::make_mut(&mut self.levels);
        if level == 0 {
            levels.remove(&name);
        } else {
            levels.insert(name, level);
        }
    }
}
