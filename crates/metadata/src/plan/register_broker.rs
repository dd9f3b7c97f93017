//! BrokerRegistration: a process announces itself as broker N. Each new incarnation gets a new epoch, which fences
//! the older ones, and starts fenced (KIP-631).
//!
//! Unlike Kafka, a restarted broker need not wait until its former session has ended: whoever brings a log directory of
//! the registered broker is that broker, because a directory is locked by one process at a time. Only a stranger with
//! other directories is refused while the session lasts; and whoever has them from before the registered process noted itself
//! there: a request of a dead one that was long on its way.
//!
//! A restart without a clean shutdown need not cost a replica its place among those that may lead: see
//! `docs/adr/0005-unclean-restart.md`.

use std::collections::BTreeSet;

use ottla_types::{BrokerEpoch, ByteString, DirectoryId, NodeId, Uuid};

use crate::image::{
    BrokerImage, Endpoint, FeatureRange, KRAFT_VERSION, LOST_DIRECTORY, MIGRATING_DIRECTORY, MetadataImage,
    UNASSIGNED_DIRECTORY,
};
use crate::plan::Decision;
use crate::plan::broker_change::{BrokerChange, Kept, partition_changes};
use crate::plan::min_isr::settle_min_isr;
use crate::settings::Settings;
use crate::snapshot::register_broker;
use ottla_protocol::records::metadata::MetadataRecord;

/// A broker that registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// `node.id`.
    pub broker: NodeId,
    /// The cluster that it believes to belong to.
    pub cluster_id: ByteString,
    /// Drawn at the process's start.
    pub incarnation_id: Uuid,
    /// Its listeners.
    pub endpoints: Vec<Endpoint>,
    /// What it supports.
    pub features: Vec<FeatureRange>,
    /// `broker.rack`.
    pub rack: Option<ByteString>,
    /// Its log directories.
    pub directories: Vec<DirectoryId>,
    /// The epoch of its former incarnation if its directories lost nothing: that stopped cleanly, or synced before it
    /// acknowledged. [`BrokerEpoch::NONE`] if they may have lost records.
    pub previous_epoch: BrokerEpoch,
}

/// Why a broker is not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterBrokerError {
    /// It belongs to another cluster.
    #[error(
        "Expected cluster ID {expected}, but got cluster ID {found}: the broker's log directories are from another cluster"
    )]
    ClusterId {
        /// This cluster.
        expected: ByteString,
        /// The broker's.
        found: ByteString,
    },
    /// Another process is broker N.
    #[error(
        "Another broker is registered with that broker id: {broker} has a live session from other log directories; give this one another node.id"
    )]
    Duplicate {
        /// The id.
        broker: NodeId,
    },
    /// A later process is broker N: who asks was started before it, and is gone.
    #[error(
        "Broker {broker} is registered by a later process, of epoch {registered}, that is alive; the directories of this one know {previous} only"
    )]
    Superseded {
        /// The id.
        broker: NodeId,
        /// The epoch of the later one.
        registered: BrokerEpoch,
        /// The one that the directories told when this one was started.
        previous: BrokerEpoch,
    },
    /// No log directory.
    #[error("No directories specified in request")]
    NoDirectories,
    /// A directory id that means something else.
    #[error("Reserved directory ID in request: {0}")]
    ReservedDirectory(DirectoryId),
    /// A directory twice.
    #[error("Duplicate directory ID in request: {0}")]
    RepeatedDirectory(DirectoryId),
    /// A directory that another broker has: a copy.
    #[error("Broker {owner} is already registered with directory {directory}; was the directory copied?")]
    ForeignDirectory {
        /// The directory.
        directory: DirectoryId,
        /// Who has it.
        owner: NodeId,
    },
    /// It cannot work at the finalized level of a feature.
    #[error(
        "Unable to register because the broker does not support finalized version {finalized} of {feature}. The broker wants a version between {min} and {max}, inclusive."
    )]
    Feature {
        /// The feature.
        feature: ByteString,
        /// The level of the cluster.
        finalized: i16,
        /// The lowest that the broker supports.
        min: i16,
        /// The highest that the broker supports.
        max: i16,
    },
}

/// Decides about a registration; the answer is the broker's epoch. `has_session` tells whether the registered
/// incarnation was heard of lately.
pub fn plan_register_broker(
    image: &MetadataImage,
    settings: &Settings,
    cluster_id: &str,
    registration: &Registration,
    has_session: bool,
) -> Decision<Result<BrokerEpoch, RegisterBrokerError>> {
    let existing = image.brokers.get(registration.broker).map(|broker| &**broker);
    if let Err(error) = check(image, cluster_id, registration, existing, has_session) {
        return Decision::unchanged(Err(error));
    }
    let same = existing.filter(|broker| broker.incarnation_id == registration.incarnation_id);
    let mut records = match existing {
        Some(broker) if same.is_none() => end_former_incarnation(image, settings, registration, broker),
        _ => Vec::new(),
    };
    // The offset that the record will have: everything before it in this batch, and itself.
    let epoch = same.map_or(BrokerEpoch(image.offset.0 + 1 + records.len() as i64), |broker| broker.epoch);
    records.push(
        register_broker(&BrokerImage {
            id: registration.broker,
            epoch,
            incarnation_id: registration.incarnation_id,
            endpoints: registration.endpoints.clone(),
            features: registration.features.clone(),
            rack: registration.rack.clone(),
            fenced: same.is_none_or(|broker| broker.fenced),
            in_controlled_shutdown: same.is_some_and(|broker| broker.in_controlled_shutdown),
            directories: registration.directories.clone(),
            cordoned_directories: None,
        })
        .into(),
    );
    if image.features.elr_enabled() {
        let brokers = image.brokers.len() + usize::from(existing.is_none());
        records.extend(settle_min_isr(image, settings, brokers));
    }
    Decision { records, answer: Ok(epoch) }
}

fn check(
    image: &MetadataImage,
    cluster_id: &str,
    registration: &Registration,
    existing: Option<&BrokerImage>,
    has_session: bool,
) -> Result<(), RegisterBrokerError> {
    if registration.cluster_id != cluster_id {
        return Err(RegisterBrokerError::ClusterId {
            expected: cluster_id.into(),
            found: registration.cluster_id.clone(),
        });
    }
    check_directories(image, registration)?;
    if let Some(existing) =
        existing.filter(|it| has_session && it.incarnation_id != registration.incarnation_id)
    {
        let restarted = existing.directories.iter().any(|dir| registration.directories.contains(dir));
        if !restarted {
            return Err(RegisterBrokerError::Duplicate { broker: registration.broker });
        }
        // An active process has noted its epoch in the directories: who was started later brings that, or none.
        let previous = registration.previous_epoch;
        if !existing.fenced && previous.is_some() && previous < existing.epoch {
            let (broker, registered) = (registration.broker, existing.epoch);
            return Err(RegisterBrokerError::Superseded { broker, registered, previous });
        }
    }
    check_features(image, registration)
}

fn check_directories(image: &MetadataImage, registration: &Registration) -> Result<(), RegisterBrokerError> {
    if registration.directories.is_empty() {
        return Err(RegisterBrokerError::NoDirectories);
    }
    let mut seen = BTreeSet::new();
    for &directory in &registration.directories {
        if [UNASSIGNED_DIRECTORY, LOST_DIRECTORY, MIGRATING_DIRECTORY].contains(&directory) {
            return Err(RegisterBrokerError::ReservedDirectory(directory));
        }
        if !seen.insert(directory) {
            return Err(RegisterBrokerError::RepeatedDirectory(directory));
        }
        let owner = image.brokers.iter().find(|broker| broker.directories.contains(&directory));
        if let Some(owner) = owner.filter(|owner| owner.id != registration.broker) {
            return Err(RegisterBrokerError::ForeignDirectory { directory, owner: owner.id });
        }
    }
    Ok(())
}

/// The broker has to support the finalized level of each feature, but for the one of controllers. Not naming a feature means
/// supporting level 0.
fn check_features(image: &MetadataImage, registration: &Registration) -> Result<(), RegisterBrokerError> {
    for (feature, finalized) in image.features.iter().filter(|(feature, _)| **feature != KRAFT_VERSION) {
        let range = registration.features.iter().find(|range| range.name == *feature);
        let (min, max) = range.map_or((0, 0), |range| (range.min, range.max));
        if !(min..=max).contains(&finalized) {
            return Err(RegisterBrokerError::Feature { feature: feature.clone(), finalized, min, max });
        }
    }
    Ok(())
}

/// Leaders move away and epochs rise, as if the session had ended first: the process that led is gone, and what it had not
/// synced may be too. Nobody may add to the log in an epoch in which others may have more of it.
fn end_former_incarnation(
    image: &MetadataImage,
    settings: &Settings,
    registration: &Registration,
    former: &BrokerImage,
) -> Vec<MetadataRecord> {
    let kept = Kept {
        all_in_its_directories: former.epoch == registration.previous_epoch,
        former: &former.directories,
        directories: &registration.directories,
    };
    partition_changes(image, settings, BrokerChange::Restarts(former.id, kept))
}
