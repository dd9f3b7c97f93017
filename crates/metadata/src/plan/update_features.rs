//! UpdateFeatures: the whole cluster moves to another level of a feature (KIP-584). All updates of a request take effect
//! together or not at all.

use std::collections::BTreeSet;

use ottla_protocol::records::metadata::FeatureLevelRecord;
use ottla_types::{ByteString, NodeId};

use crate::image::{METADATA_VERSION, MetadataImage};
use crate::plan::{Decision, SUPPORTED_FEATURES};
use ottla_protocol::records::metadata::MetadataRecord;

/// What kind of change is allowed (`FeatureUpdate.UpgradeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateType {
    /// Only to a higher level.
    Upgrade,
    /// Also to a lower level that loses nothing.
    SafeDowngrade,
    /// Also to a lower level that may lose metadata.
    UnsafeDowngrade,
}

impl UpdateType {
    /// The type with Kafka's number `code`.
    pub const fn from_code(code: i8) -> Option<Self> {
        match code {
            1 => Some(Self::Upgrade),
            2 => Some(Self::SafeDowngrade),
            3 => Some(Self::UnsafeDowngrade),
            _ => None,
        }
    }
}

/// A feature and the level that it is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature.
    pub name: ByteString,
    /// The level; 0 turns it off.
    pub level: i16,
    /// What kind of change is allowed; `None` if the request's number means nothing.
    pub update_type: Option<UpdateType>,
}

/// Why features stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateFeaturesError {
    /// A number without a meaning.
    #[error("The controller does not support the given upgrade type for feature {name}.")]
    UnknownType {
        /// The feature.
        name: ByteString,
    },
    /// A feature twice.
    #[error("Feature {name} occurs twice in the request.")]
    Repeated {
        /// The feature.
        name: ByteString,
    },
    /// A feature that this version does not know.
    #[error("Invalid update version {level} for feature {name}. Controller does not support this feature.")]
    Unknown {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
    },
    /// A level that this version does not know.
    #[error(
        "Invalid update version {level} for feature {name}. Controller only supports versions {min}-{max}"
    )]
    OutOfRange {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// The lowest possible.
        min: i16,
        /// The highest possible.
        max: i16,
    },
    /// A level that a registered broker does not know.
    #[error(
        "Invalid update version {level} for feature {name}. Broker {broker} only supports versions {min}-{max}"
    )]
    Broker {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// Who does not know it.
        broker: NodeId,
        /// The lowest that it knows.
        min: i16,
        /// The highest that it knows.
        max: i16,
    },
    /// A lower level by an upgrade.
    #[error(
        "Invalid update version {level} for feature {name}. Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade."
    )]
    NotAnUpgrade {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
    },
    /// A higher level by a downgrade.
    #[error("Invalid update version {level} for feature {name}. Can't downgrade to a newer version.")]
    NotADowngrade {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
    },
    /// The format of the metadata itself cannot go back.
    #[error("Invalid metadata.version {level}. Downgrades of metadata.version {current} are not supported.")]
    MetadataDowngrade {
        /// The wished level.
        level: i16,
        /// The level now.
        current: i16,
    },
}

/// Decides about all updates together.
pub fn plan_update_features(
    image: &MetadataImage,
    updates: &[FeatureUpdate],
    validate_only: bool,
) -> Decision<Result<(), UpdateFeaturesError>> {
    let mut seen = BTreeSet::new();
    let mut records = Vec::new();
    for update in updates {
        if !seen.insert(&update.name) {
            return Decision::unchanged(Err(UpdateFeaturesError::Repeated { name: update.name.clone() }));
        }
        match check(image, update) {
            Ok(record) => records.extend(record),
            Err(error) => return Decision::unchanged(Err(error)),
        }
    }
    if validate_only {
        records.clear();
    }
    Decision { records, answer: Ok(()) }
}

/// The record of the update, if the level changes.
fn check(
    image: &MetadataImage,
    update: &FeatureUpdate,
) -> Result<Option<MetadataRecord>, UpdateFeaturesError> {
    let (name, level) = (update.name.clone(), update.level);
    let current = image.features.level(&name);
    let Some(update_type) = update.update_type else { return Err(UpdateFeaturesError::UnknownType { name }) };
    let Some(&(_, min, max)) = SUPPORTED_FEATURES.iter().find(|(known, ..)| name == *known) else {
        return Err(UpdateFeaturesError::Unknown { name, level });
    };
    if !(min..=max).contains(&level) {
        return Err(UpdateFeaturesError::OutOfRange { name, level, min, max });
    }
    for broker in image.brokers.iter() {
        let range = broker.features.iter().find(|range| range.name == name);
        let (min, max) = range.map_or((0, 0), |range| (range.min, range.max));
        if !(min..=max).contains(&level) {
            return Err(UpdateFeaturesError::Broker { name, level, broker: broker.id, min, max });
        }
    }
    if level < current && update_type == UpdateType::Upgrade {
        return Err(UpdateFeaturesError::NotAnUpgrade { name, level });
    }
    if level > current && update_type != UpdateType::Upgrade {
        return Err(UpdateFeaturesError::NotADowngrade { name, level });
    }
    if level < current && name == METADATA_VERSION {
        return Err(UpdateFeaturesError::MetadataDowngrade { level, current });
    }
    let record = FeatureLevelRecord { name, feature_level: level, ..FeatureLevelRecord::default() };
    Ok((level != current).then(|| record.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ELR_VERSION;
    use crate::testing::Cluster;

    fn update(cluster: &mut Cluster, name: &str, level: i16, code: i8) -> Result<(), String> {
        let update = FeatureUpdate { name: name.into(), level, update_type: UpdateType::from_code(code) };
        let decision = plan_update_features(&cluster.image, &[update], false);
        cluster.take(decision).map_err(|error| error.to_string())
    }

    #[test]
    fn features_move_between_levels_that_all_know() {
        let mut cluster = Cluster::new(1);
        update(&mut cluster, ELR_VERSION, 1, 1).unwrap();
        assert!(cluster.image.features.elr_enabled());
        assert!(
            update(&mut cluster, ELR_VERSION, 0, 1).unwrap_err().contains("without setting the upgrade type")
        );
        update(&mut cluster, ELR_VERSION, 0, 2).unwrap();
        assert!(!cluster.image.features.elr_enabled());
    }

    #[test]
    fn updates_that_cannot_be() {
        let mut cluster = Cluster::new(1);
        let c = &mut cluster;
        assert!(update(c, "no.such", 1, 1).unwrap_err().contains("does not support this feature"));
        assert!(update(c, ELR_VERSION, 2, 1).unwrap_err().contains("only supports versions 0-1"));
        assert!(update(c, ELR_VERSION, 1, 0).unwrap_err().contains("upgrade type"));
        assert!(update(c, ELR_VERSION, 1, 2).unwrap_err().contains("newer version"));
        assert!(update(c, METADATA_VERSION, 29, 3).unwrap_err().contains("not supported"));
    }
}
