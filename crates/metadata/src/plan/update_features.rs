//! UpdateFeatures: the whole cluster moves to another level of a feature (KIP-584). All updates of a request take effect
//! together or not at all.
//!
//! Each node has to support the new level: brokers say at their registration what they do, voters of the quorum are asked.

use std::collections::BTreeSet;

use ottla_protocol::records::metadata::{ClearElrRecord, FeatureLevelRecord};
use ottla_types::{ByteString, NodeId};

use crate::image::{
    ELR_VERSION, FeatureRange, KRAFT_VERSION, METADATA_VERSION, MetadataImage, SUPPORTED_FEATURES,
};
use crate::metadata_version::MetadataVersion;
use crate::plan::Decision;
use crate::plan::min_isr::settle_min_isr;
use crate::settings::Settings;
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

/// What another voter of the quorum supports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterFeatures {
    /// Which.
    pub voter: NodeId,
    /// As it says itself; `None` if it did not answer.
    pub features: Option<Vec<FeatureRange>>,
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
    #[error(
        "Invalid update version {level} for feature {name}. Local controller {controller} does not support this feature."
    )]
    Unknown {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// Who decides.
        controller: NodeId,
    },
    /// A level that this version does not know.
    #[error(
        "Invalid update version {level} for feature {name}. Local controller {controller} only supports versions {min}-{max}"
    )]
    OutOfRange {
        /// Who decides.
        controller: NodeId,
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
    /// A level that another controller does not know.
    #[error(
        "Invalid update version {level} for feature {name}. Controller {voter} only supports versions {min}-{max}"
    )]
    Controller {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// Who does not know it.
        voter: NodeId,
        /// The lowest that it knows.
        min: i16,
        /// The highest that it knows.
        max: i16,
    },
    /// Nobody knows what a controller supports.
    #[error(
        "Invalid update version {level} for feature {name}. Controller {voter} does not answer, and may not support this feature: start it, then try again"
    )]
    SilentController {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// Who does not answer.
        voter: NodeId,
    },
    /// Another feature has to be there first.
    #[error(
        "Invalid update version {level} for feature {name}. {name} could not be set to {level} because it depends on metadata.version level {needed}"
    )]
    Dependency {
        /// The feature.
        name: ByteString,
        /// The wished level.
        level: i16,
        /// The level of `metadata.version` that it takes.
        needed: i16,
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
    #[error("Unsupported metadata.version downgrade from {} to {}. {}", current.level(), to.level(), why_not(*is_unsafe))]
    MetadataDowngrade {
        /// Whether the loss of metadata was asked for.
        is_unsafe: bool,
        /// The wished level.
        to: MetadataVersion,
        /// The level now.
        current: MetadataVersion,
    },
    /// Voters that came would have to be named again.
    #[error(
        "Invalid update version {level} for feature kraft.version. Can't downgrade from version {current}."
    )]
    KRaftDowngrade {
        /// The wished level.
        level: i16,
        /// The level now.
        current: i16,
    },
}

const fn why_not(is_unsafe: bool) -> &'static str {
    if is_unsafe {
        "Unsafe metadata downgrade is not supported in this version."
    } else {
        "Refusing to perform the requested downgrade because it might delete metadata information."
    }
}

/// Decides about all updates together. `controller` decides, and supports what this build does; `voters` are the others of the quorum.
pub fn plan_update_features(
    image: &MetadataImage,
    settings: &Settings,
    controller: NodeId,
    voters: &[VoterFeatures],
    updates: &[FeatureUpdate],
    validate_only: bool,
) -> Decision<Result<(), UpdateFeaturesError>> {
    let mut seen = BTreeSet::new();
    let mut records = Vec::new();
    let cluster = Cluster { image, controller, voters, updates };
    for update in updates {
        if !seen.insert(&update.name) {
            return Decision::unchanged(Err(UpdateFeaturesError::Repeated { name: update.name.clone() }));
        }
        match cluster.check(update) {
            Ok(record) => records.extend(record),
            Err(error) => return Decision::unchanged(Err(error)),
        }
    }
    if updates.iter().any(|update| update.name == ELR_VERSION && update.level > 0) {
        let mut first = settle_min_isr(image, settings, image.brokers.len());
        // While they were off, leaders may have gone on without those that were eligible when they were turned off.
        if !image.features.elr_enabled() && !image.topics.is_empty() {
            first.push(ClearElrRecord::default().into());
        }
        records.splice(0..0, first);
    }
    if validate_only {
        records.clear();
    }
    Decision { records, answer: Ok(()) }
}

/// What an update is checked against.
struct Cluster<'a> {
    image: &'a MetadataImage,
    controller: NodeId,
    voters: &'a [VoterFeatures],
    /// All of the request.
    updates: &'a [FeatureUpdate],
}

impl Cluster<'_> {
    /// The record of the update, if the level changes.
    fn check(&self, update: &FeatureUpdate) -> Result<Option<MetadataRecord>, UpdateFeaturesError> {
        let (name, level) = (update.name.clone(), update.level);
        let current = self.image.features.level(&name);
        let Some(update_type) = update.update_type else {
            return Err(UpdateFeaturesError::UnknownType { name });
        };
        self.check_support(&name, level)?;
        if level < current && update_type == UpdateType::Upgrade {
            return Err(UpdateFeaturesError::NotAnUpgrade { name, level });
        }
        if level > current && update_type != UpdateType::Upgrade {
            return Err(UpdateFeaturesError::NotADowngrade { name, level });
        }
        let wished = self.wished_metadata_version();
        if name == METADATA_VERSION {
            let current = self.image.features.metadata_version();
            if wished < current && !current.is_written_as(wished) {
                let is_unsafe = update_type == UpdateType::UnsafeDowngrade;
                return Err(UpdateFeaturesError::MetadataDowngrade { is_unsafe, to: wished, current });
            }
        }
        if name == KRAFT_VERSION && level < current {
            return Err(UpdateFeaturesError::KRaftDowngrade { level, current });
        }
        if name == ELR_VERSION && level > 0 && !wished.has_elr() {
            let needed = MetadataVersion::ELR_FROM.level();
            return Err(UpdateFeaturesError::Dependency { name, level, needed });
        }
        let record = FeatureLevelRecord { name, feature_level: level, ..FeatureLevelRecord::default() };
        Ok((level != current).then(|| record.into()))
    }

    /// Whether this build, every registered broker and every voter support the level.
    fn check_support(&self, name: &ByteString, level: i16) -> Result<(), UpdateFeaturesError> {
        let (name, controller) = (|| name.clone(), self.controller);
        let Some(&(_, min, max)) = SUPPORTED_FEATURES.iter().find(|(known, ..)| name() == *known) else {
            return match level {
                // What nobody knows is off everywhere.
                0 => Ok(()),
                _ => Err(UpdateFeaturesError::Unknown { name: name(), level, controller }),
            };
        };
        if !(min..=max).contains(&level) {
            return Err(UpdateFeaturesError::OutOfRange { controller, name: name(), level, min, max });
        }
        // Only controllers have to know how voters come and go.
        let brokers = self.image.brokers.iter().filter(|_| name() != KRAFT_VERSION);
        for broker in brokers {
            let (min, max) = range(&broker.features, &name());
            if !(min..=max).contains(&level) {
                return Err(UpdateFeaturesError::Broker { name: name(), level, broker: broker.id, min, max });
            }
        }
        for VoterFeatures { voter, features } in self.voters {
            let voter = *voter;
            let Some(features) = features else {
                return Err(UpdateFeaturesError::SilentController { name: name(), level, voter });
            };
            let (min, max) = range(features, &name());
            if !(min..=max).contains(&level) {
                return Err(UpdateFeaturesError::Controller { name: name(), level, voter, min, max });
            }
        }
        Ok(())
    }

    /// The level of `metadata.version` after the request.
    fn wished_metadata_version(&self) -> MetadataVersion {
        let update = self.updates.iter().find(|update| update.name == METADATA_VERSION);
        let wished = update.and_then(|update| MetadataVersion::from_level(update.level));
        wished.unwrap_or_else(|| self.image.features.metadata_version())
    }
}

/// The levels that a node supports; not naming a feature means supporting level 0.
fn range(features: &[FeatureRange], name: &ByteString) -> (i16, i16) {
    let range = features.iter().find(|range| range.name == *name);
    range.map_or((0, 0), |range| (range.min, range.max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ELR_VERSION;
    use crate::testing::Cluster;

    fn wish(name: &str, level: i16, code: i8) -> FeatureUpdate {
        FeatureUpdate { name: name.into(), level, update_type: UpdateType::from_code(code) }
    }

    fn update(cluster: &mut Cluster, name: &str, level: i16, code: i8) -> Result<(), String> {
        let decision = plan_update_features(
            &cluster.image,
            &cluster.settings,
            NodeId(1),
            &[],
            &[wish(name, level, code)],
            false,
        );
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
    fn a_quorum_with_fixed_voters_becomes_one_whose_voters_come_and_go() {
        let named = ["controller.quorum.voters=1@a:1".to_owned()];
        let configured = ottla_config::Settings::load(None, std::iter::empty(), &named).unwrap();
        let settings = crate::Settings::new(std::sync::Arc::new(configured));
        let mut cluster = Cluster::new(1);
        let decision = crate::plan::plan_bootstrap(&MetadataImage::empty(), &settings);
        (cluster.image, _) = MetadataImage::empty().apply(&decision.records).unwrap();
        assert!(!cluster.image.features.dynamic_voters());
        update(&mut cluster, KRAFT_VERSION, 1, 1).unwrap();
        assert!(cluster.image.features.dynamic_voters());
    }

    #[test]
    fn updates_that_cannot_be() {
        let mut cluster = Cluster::new(1);
        let c = &mut cluster;
        assert!(
            update(c, "no.such", 1, 1).unwrap_err().contains("controller 1 does not support this feature")
        );
        assert_eq!(update(c, "no.such", 0, 2), Ok(()), "it is off");
        assert!(update(c, ELR_VERSION, 2, 1).unwrap_err().contains("only supports versions 0-1"));
        assert!(update(c, ELR_VERSION, 1, 0).unwrap_err().contains("upgrade type"));
        assert!(update(c, ELR_VERSION, 1, 2).unwrap_err().contains("newer version"));
        assert!(update(c, METADATA_VERSION, 16, 3).unwrap_err().contains("only supports versions 17-"));
        assert!(update(c, KRAFT_VERSION, 0, 3).unwrap_err().contains("Can't downgrade from version 1"));
    }

    #[test]
    fn the_format_goes_back_only_where_nothing_has_changed() {
        let mut cluster = Cluster::new(1);
        let refused = update(&mut cluster, METADATA_VERSION, 29, 3).unwrap_err();
        assert!(refused.contains("downgrade from 30 to 29. Unsafe"), "{refused}");
        let mut cluster = Cluster::at_level(29, 1);
        update(&mut cluster, METADATA_VERSION, 23, 2).unwrap();
        assert_eq!(cluster.image.features.level(METADATA_VERSION), 23);
        assert!(update(&mut cluster, METADATA_VERSION, 22, 2).unwrap_err().contains("might delete"));
    }

    #[test]
    fn eligible_replicas_take_records_that_can_tell_of_them() {
        let mut cluster = Cluster::at_level(22, 1);
        let refused = update(&mut cluster, ELR_VERSION, 1, 1).unwrap_err();
        assert!(refused.contains("depends on metadata.version level 23"), "{refused}");
        let both = [wish(ELR_VERSION, 1, 1), wish(METADATA_VERSION, 23, 1)];
        cluster
            .take(plan_update_features(&cluster.image, &cluster.settings, NodeId(1), &[], &both, false))
            .unwrap();
        assert!(cluster.image.features.elr_enabled());
    }

    #[test]
    fn every_voter_has_to_know_the_level() {
        let cluster = Cluster::at_level(29, 1);
        let with = |features: Option<(i16, i16)>| {
            let range = |(min, max)| vec![FeatureRange { name: METADATA_VERSION.into(), min, max }];
            let voters = [VoterFeatures { voter: NodeId(7), features: features.map(range) }];
            let wishes = [wish(METADATA_VERSION, 30, 1)];
            let decision =
                plan_update_features(&cluster.image, &cluster.settings, NodeId(1), &voters, &wishes, true);
            decision.answer.map_err(|error| error.to_string())
        };
        assert!(with(Some((17, 29))).unwrap_err().contains("Controller 7 only supports versions 17-29"));
        assert!(with(None).unwrap_err().contains("Controller 7 does not answer"));
        assert_eq!(with(Some((17, 30))), Ok(()));
    }
}
