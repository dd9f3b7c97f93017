//! What a committed batch changed, for the history and the counts.

use std::cmp::Ordering;
use std::time::Duration;

use ottla_history::{Election, Led, Restart, Version};
use ottla_metadata::image::PartitionImage;
use ottla_metadata::{MetadataImage, MetadataRecord};
use ottla_types::{BrokerEpoch, NodeId};

use crate::broker::{MIN_INSYNC_REPLICAS, SESSION};
use crate::cx::{CLOCK_DRIFT, Cx};
use crate::layout;

/// For so long a leader that lives may not know that another one was elected: half a session and a lease, by the slowest clocks.
const LEADS_ON: Duration = Duration::from_millis(SESSION.as_millis() as u64 * 1400 / (1000 - CLOCK_DRIFT));

/// What happened to brokers.
struct Brokers {
    fenced: Vec<NodeId>,
    /// With the epochs of the processes before.
    restarted: Vec<(NodeId, BrokerEpoch)>,
    elr: bool,
}

/// `records` made `after` of `before`.
pub(super) fn note_changes(
    cx: &mut Cx,
    before: &MetadataImage,
    after: &MetadataImage,
    records: &[MetadataRecord],
) {
    let brokers = Brokers::of(cx, before, after, records);
    for &fenced in &brokers.fenced {
        cx.counts.add("fencings");
        // Whatever it lost before: its lease is over.
        for (led, silent_from) in &mut cx.history.deposed {
            if led.leader == fenced {
                *silent_from = (*silent_from).min(cx.now);
            }
        }
    }
    for (number, partition) in layout::partitions(after) {
        let former = layout::partition(before, number);
        if former == Some(partition) {
            continue;
        }
        let PartitionImage { leader, leader_epoch, replicas, isr, elr, .. } = &**partition;
        cx.note(format_args!(
            "partition {number}: leader {leader} epoch {leader_epoch} isr {isr:?} elr {elr:?} of {replicas:?} last {:?}",
            partition.last_known_elr
        ));
        cx.history.versions.push(Version { partition: number, state: (**partition).clone() });
        if let Some(former) = former {
            note_leader(cx, number, former, partition, &brokers);
            note_members(cx, former, partition);
            note_restarts(cx, number, former, partition, &brokers);
        }
    }
}

impl Brokers {
    fn of(cx: &Cx, before: &MetadataImage, after: &MetadataImage, records: &[MetadataRecord]) -> Self {
        let registrations = |id: NodeId| {
            let is_one = |record: &&MetadataRecord| matches!(record, MetadataRecord::RegisterBroker(record) if record.broker_id == id.0);
            records.iter().filter(is_one).count()
        };
        let mut brokers =
            Self { fenced: Vec::new(), restarted: Vec::new(), elr: after.features.elr_enabled() };
        for broker in after.brokers.iter() {
            let Some(former) = before.brokers.get(broker.id) else { continue };
            if former.is_active() && broker.fenced {
                brokers.fenced.push(broker.id);
            }
            // That of a process which is gone may come late, before its successor is active: nobody can tell then.
            let is_of_last = cx.incarnations.get(&broker.id) == Some(&broker.incarnation_id);
            if registrations(broker.id) == 1
                && former.epoch != broker.epoch
                && (is_of_last || former.is_active())
            {
                brokers.restarted.push((broker.id, former.epoch));
            }
        }
        brokers
    }
}

fn note_leader(
    cx: &mut Cx,
    partition: i32,
    before: &PartitionImage,
    after: &PartitionImage,
    brokers: &Brokers,
) {
    if after.leader_epoch == before.leader_epoch {
        return;
    }
    if before.has_leader() && after.leader != before.leader {
        let led = Led { partition, epoch: before.leader_epoch, leader: before.leader };
        let is_fenced = brokers.fenced.contains(&before.leader);
        cx.history.deposed.push((led, cx.now + if is_fenced { Duration::ZERO } else { LEADS_ON }));
    }
    let leader = after.leader;
    if leader != NodeId::NONE && leader != before.leader {
        cx.counts.add("elections");
        if before.elr.contains(&leader) {
            cx.counts.add("ELR elections");
        }
    }
    if leader != NodeId::NONE {
        let committed = cx.history.committed(partition);
        cx.history.elections.push(Election { partition, leader, log_end: None, committed });
    }
}

fn note_members(cx: &mut Cx, before: &PartitionImage, after: &PartitionImage) {
    match after.isr.len().cmp(&before.isr.len()) {
        Ordering::Less => cx.counts.add("ISR shrinks"),
        Ordering::Greater => cx.counts.add("ISR expansions"),
        Ordering::Equal => {}
    }
    if before.is_reassigning() && !after.is_reassigning() {
        let has_come = before.adding_replicas.iter().all(|id| after.is_replica(*id));
        cx.counts.add(if has_come { "reassignments completed" } else { "reassignments cancelled" });
    }
}

/// What became of the places that the replicas of restarted brokers had.
fn note_restarts(
    cx: &mut Cx,
    partition: i32,
    before: &PartitionImage,
    after: &PartitionImage,
    brokers: &Brokers,
) {
    // If more than one thing happened at once, nobody can tell what became of it by which.
    if after.partition_epoch.0 != before.partition_epoch.0 + 1 {
        return;
    }
    let has_place = |state: &PartitionImage, id| state.isr.contains(&id) || state.elr.contains(&id);
    for &(broker, former) in brokers.restarted.iter().filter(|(broker, _)| has_place(before, *broker)) {
        let is_eligible = has_place(after, broker);
        if is_eligible {
            cx.counts.add("unclean restarts kept eligible");
        }
        let is_needed = brokers.elr && after.isr.len() < MIN_INSYNC_REPLICAS && after.is_replica(broker);
        cx.history.restarts.push(Restart { partition, broker, former, is_eligible, is_needed });
    }
}
