//! BrokerHeartbeat: a broker says that it lives, how far it has read the metadata, and whether it wants to stop.
//!
//! ```text
//!            caught up with its registration, does not want to be fenced
//!  fenced ─────────────────────────────────────────────────────────────▶ active ──▶ fenced   session ended (fence_broker)
//!    ▲                                              wants to shut down │
//!    │ no leader left, and everybody has seen that                     ▼
//!    └──────────────────────────────────────────────────── controlled shutdown
//! ```
//! (`BrokerHeartbeatManager.calculateNextBrokerState`, KIP-631, KIP-841.)

use ottla_types::{BrokerEpoch, DirectoryId, NodeId, Offset};

use crate::image::{BrokerImage, MetadataImage};
use crate::plan::Decision;
use crate::plan::broker_change::{
    BrokerChange, StaleBrokerEpoch, check_broker_epoch, fencing_record, leads_any, partition_changes,
    registration_change,
};
use crate::settings::Settings;
use ottla_protocol::records::metadata::MetadataRecord;

/// What a broker says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Who.
    pub broker: NodeId,
    /// The epoch that it was registered with.
    pub epoch: BrokerEpoch,
    /// The metadata offset that it has applied.
    pub metadata_offset: Offset,
    /// Whether it wants to be fenced.
    pub want_fence: bool,
    /// Whether it wants to stop.
    pub want_shut_down: bool,
    /// Its directories that have failed.
    pub offline_directories: Vec<DirectoryId>,
    /// Its directories that take no new partitions (KIP-1066); `None` if it does not say.
    pub cordoned_directories: Option<Vec<DirectoryId>>,
}

/// What the controller remembers of the heartbeats of others; soft state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    /// The metadata offset that had this broker fenced last, or a later one: it serves again only once it knows of that.
    pub fenced_at: Offset,
    /// The metadata offset at which this broker's controlled shutdown was decided, if it was.
    pub decided_at: Option<Offset>,
    /// The lowest offset that any active broker has applied; `None` without active brokers.
    pub lowest_active_offset: Option<Offset>,
    /// Whether this broker has had time to read that others lead in its place, and has not.
    pub is_behind: bool,
}

/// What a broker is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeartbeatAnswer {
    /// Whether it has applied its own registration, and what took leaderships from it: if not, its lease is not prolonged. Brokers
    /// of Kafka look at it until they have started, never later.
    pub is_caught_up: bool,
    /// Whether it is fenced.
    pub is_fenced: bool,
    /// Whether it is shutting down and its leaders are being moved.
    pub in_controlled_shutdown: bool,
    /// Whether it may stop now.
    pub should_shut_down: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fenced,
    Active,
    ControlledShutdown,
    ShutDownNow,
}

/// Decides what a heartbeat changes.
pub fn plan_heartbeat(
    image: &MetadataImage,
    settings: &Settings,
    heartbeat: &Heartbeat,
    progress: SessionFacts,
) -> Decision<Result<HeartbeatAnswer, StaleBrokerEpoch>> {
    let broker = match check_broker_epoch(image, heartbeat.broker, heartbeat.epoch) {
        Ok(broker) => broker,
        Err(stale) => return Decision::unchanged(Err(stale)),
    };
    let now = state_of(broker);
    let next = next_state(image, heartbeat, broker, progress);
    // First: whoever is elected now must have its log.
    let mut records = lose_directories(image, settings, broker, &heartbeat.offline_directories);
    if now != next {
        let left = if records.is_empty() { None } else { image.apply(&records).ok() };
        let image = left.as_ref().map_or(image, |(image, _)| image);
        records.extend(transition(image, settings, broker, next));
    }
    records.extend(cordon(image, broker, heartbeat.cordoned_directories.as_deref()));
    // Decided, and not in the image yet: others are about to lead.
    let is_being_fenced = progress.fenced_at > image.offset;
    let answer = HeartbeatAnswer {
        is_caught_up: is_caught_up(broker, heartbeat) && !progress.is_behind,
        is_fenced: matches!(next, State::Fenced | State::ShutDownNow) || is_being_fenced,
        in_controlled_shutdown: next == State::ControlledShutdown,
        should_shut_down: next == State::ShutDownNow,
    };
    Decision { records, answer: Ok(answer) }
}

const fn state_of(broker: &BrokerImage) -> State {
    if broker.fenced {
        State::Fenced
    } else if broker.in_controlled_shutdown {
        State::ControlledShutdown
    } else {
        State::Active
    }
}

fn next_state(
    image: &MetadataImage,
    heartbeat: &Heartbeat,
    broker: &BrokerImage,
    progress: SessionFacts,
) -> State {
    let (fence, stop) = (heartbeat.want_fence, heartbeat.want_shut_down);
    match state_of(broker) {
        State::Fenced if stop => State::ShutDownNow,
        State::Fenced
            if !fence
                && is_caught_up(broker, heartbeat)
                && heartbeat.metadata_offset >= progress.fenced_at =>
        {
            State::Active
        }
        State::Fenced => State::Fenced,
        State::Active if fence && stop => State::ShutDownNow,
        State::Active if fence => State::Fenced,
        State::Active if stop && has_successor(image, broker) => State::ControlledShutdown,
        State::Active if stop => State::ShutDownNow,
        State::ControlledShutdown if leads_any(image, broker.id) && has_successor(image, broker) => {
            State::ControlledShutdown
        }
        State::ControlledShutdown => {
            // Everybody has to know the new leaders before the old one goes.
            let seen = match (progress.decided_at, progress.lowest_active_offset) {
                (Some(decided), Some(lowest)) => decided <= lowest,
                _ => true,
            };
            if seen { State::ShutDownNow } else { State::ControlledShutdown }
        }
        other => other,
    }
}

/// Whether `broker` leads something that another broker could lead.
fn has_successor(image: &MetadataImage, broker: &BrokerImage) -> bool {
    image.brokers.iter().any(|other| other.id != broker.id && other.is_active())
        && leads_any(image, broker.id)
}

fn is_caught_up(broker: &BrokerImage, heartbeat: &Heartbeat) -> bool {
    heartbeat.metadata_offset.0 >= broker.epoch.0
}

fn transition(
    image: &MetadataImage,
    settings: &Settings,
    broker: &BrokerImage,
    next: State,
) -> Vec<MetadataRecord> {
    match next {
        State::Active => {
            let mut records = vec![fencing_record(broker, false)];
            records.extend(partition_changes(image, settings, BrokerChange::Returns(broker.id)));
            records
        }
        State::ControlledShutdown => {
            let mut change = registration_change(broker);
            change.in_controlled_shutdown = 1;
            let mut records = vec![change.into()];
            records.extend(partition_changes(image, settings, BrokerChange::Leaves(broker.id)));
            records
        }
        State::Fenced | State::ShutDownNow if broker.fenced => Vec::new(),
        State::Fenced | State::ShutDownNow => {
            let mut records = partition_changes(image, settings, BrokerChange::Leaves(broker.id));
            records.push(fencing_record(broker, true));
            records
        }
    }
}

/// That the directories `cordoned` take no new partitions, if that is new, and records can tell of it.
fn cordon(
    image: &MetadataImage,
    broker: &BrokerImage,
    cordoned: Option<&[DirectoryId]>,
) -> Option<MetadataRecord> {
    if !image.features.metadata_version().has_cordoned_directories() {
        return None;
    }
    let is_new =
        |cordoned: &&[DirectoryId]| broker.cordoned_directories.as_deref().unwrap_or_default() != *cordoned;
    let cordoned = cordoned.filter(is_new)?;
    let mut change = registration_change(broker);
    change.cordoned_log_dirs = Some(cordoned.to_vec());
    Some(change.into())
}

/// A directory that was online and has failed: its replicas do not count any more (KIP-858). The last directory is
/// not taken out here, the broker stops itself then.
fn lose_directories(
    image: &MetadataImage,
    settings: &Settings,
    broker: &BrokerImage,
    offline: &[DirectoryId],
) -> Vec<MetadataRecord> {
    let (lost, left): (Vec<_>, Vec<_>) =
        broker.directories.iter().copied().partition(|dir| offline.contains(dir));
    if lost.is_empty() || left.is_empty() {
        return Vec::new();
    }
    let mut records = partition_changes(image, settings, BrokerChange::LosesDirectories(broker.id, &lost));
    let mut change = registration_change(broker);
    change.log_dirs = left;
    records.push(change.into());
    records
}
