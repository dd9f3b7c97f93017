use std::time::Duration;

use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionEpoch};
use proptest::prelude::*;

use crate::{
    AckStatus, Durability, EpochError, LocalLog, NotFollower, NotReady, PartitionState, Replica,
    ReplicaProgress, RoleChange,
};

const ME: NodeId = NodeId(1);
const NOW: Duration = Duration::from_secs(1);
const LAG_MAX: Duration = Duration::from_secs(30);

fn anybody(_: NodeId, _: Option<BrokerEpoch>) -> bool {
    true
}

fn state(leader: i32, epoch: i32, replicas: &[i32], isr: &[i32], min: usize) -> PartitionState {
    PartitionState {
        leader: NodeId(leader),
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch: PartitionEpoch(epoch),
        replicas: replicas.iter().map(|&i| NodeId(i)).collect(),
        isr: isr.iter().map(|&i| NodeId(i)).collect(),
        min_insync_replicas: min,
    }
}

fn progress(end: i64, flushed: i64) -> ReplicaProgress {
    ReplicaProgress { log_end_offset: Offset(end), flushed_offset: Offset(flushed) }
}

fn leader(durability: Durability, replicas: &[i32], isr: &[i32], min: usize) -> Replica {
    let mut replica = Replica::new(ME, durability);
    let change = replica.handle_partition_state(NOW, state(1, 0, replicas, isr, min), LocalLog::default());
    assert_eq!(change, RoleChange::BecameLeader { epoch_start: Offset::ZERO });
    replica
}

#[test]
fn alone_the_high_watermark_is_the_flushed_offset() {
    let mut replica = leader(Durability::Flushed, &[1], &[1], 1);
    let leader = replica.leader_mut().unwrap();
    assert_eq!(leader.handle_local_progress(progress(10, 0)), None);
    assert_eq!(leader.ack_status(Offset(10)), AckStatus::Waiting);
    assert_eq!(leader.handle_local_progress(progress(12, 10)), Some(Offset(10)));
    assert_eq!(leader.ack_status(Offset(10)), AckStatus::Committed);
    assert_eq!(leader.ack_status(Offset(11)), AckStatus::Waiting);
}

#[test]
fn alone_without_fsync_the_high_watermark_is_the_log_end() {
    let mut replica = leader(Durability::Written, &[1], &[1], 1);
    let leader = replica.leader_mut().unwrap();
    assert_eq!(leader.handle_local_progress(progress(10, 0)), Some(Offset(10)));
}

#[test]
fn a_minimum_above_the_replication_factor_counts_as_all_replicas() {
    let replica = leader(Durability::Written, &[1], &[1], 2);
    assert_eq!(replica.check_append(true), Ok(()));
}

#[test]
fn the_slowest_in_sync_replica_holds_the_high_watermark() {
    let mut replica = leader(Durability::Flushed, &[1, 2, 3], &[1, 2, 3], 2);
    let leader = replica.leader_mut().unwrap();
    assert_eq!(leader.handle_local_progress(progress(10, 10)), None);
    assert_eq!(leader.handle_follower_fetch(NOW, NodeId(2), progress(10, 8), Offset::ZERO, None), None);
    assert_eq!(
        leader.handle_follower_fetch(NOW, NodeId(3), progress(9, 9), Offset::ZERO, None),
        Some(Offset(8))
    );
    assert_eq!(
        leader.handle_follower_fetch(NOW, NodeId(2), progress(10, 10), Offset::ZERO, None),
        Some(Offset(9))
    );
}

#[test]
fn nothing_is_committed_below_min_insync_replicas() {
    let mut replica = leader(Durability::Written, &[1, 2, 3], &[1], 2);
    assert_eq!(replica.check_append(true), Err(NotReady::NotEnoughReplicas { in_sync: 1, required: 2 }));
    assert_eq!(replica.check_append(false), Ok(()));
    assert_eq!(replica.leader_mut().unwrap().handle_local_progress(progress(5, 5)), None);
}

#[test]
fn a_lagging_follower_leaves_and_a_caught_up_one_joins() {
    let mut replica = leader(Durability::Written, &[1, 2, 3], &[1, 2], 1);
    let leader = replica.leader_mut().unwrap();
    leader.handle_local_progress(progress(5, 5));
    leader.handle_follower_fetch(NOW, NodeId(3), progress(5, 5), Offset::ZERO, None);
    let later = NOW + LAG_MAX + Duration::from_millis(1);
    let change = leader.propose_isr(later, LAG_MAX, anybody).unwrap();
    assert_eq!(change.isr.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(leader.propose_isr(later, LAG_MAX, anybody), None, "one change in flight at a time");
    // Not committed yet: follower 2 still counts, follower 3 counts at once.
    assert_eq!(leader.high_watermark(), Offset(0));
    leader.handle_alter_isr_refused();
    assert!(leader.propose_isr(later, LAG_MAX, anybody).is_some());
}

#[test]
fn a_follower_that_fetches_on_from_the_previous_end_stays_in_sync() {
    let mut replica = leader(Durability::Written, &[1, 2], &[1, 2], 1);
    let leader = replica.leader_mut().unwrap();
    let mut now = NOW;
    for end in 1..10 {
        leader.handle_local_progress(progress(end, end));
        now += LAG_MAX / 2;
        // Always one record behind, as under steady load.
        leader.handle_follower_fetch(now, NodeId(2), progress(end - 1, end - 1), Offset::ZERO, None);
        assert_eq!(leader.propose_isr(now, LAG_MAX, anybody), None);
    }
}

#[test]
fn a_follower_joins_only_with_all_that_the_epoch_began_with() {
    let mut replica = Replica::new(ME, Durability::Flushed);
    let log = LocalLog { progress: progress(7, 7), high_watermark: Offset(3) };
    replica.handle_partition_state(NOW, state(1, 0, &[1, 2, 3], &[1, 3], 1), log);
    let leader = replica.leader_mut().unwrap();
    leader.handle_follower_fetch(NOW, NodeId(2), progress(6, 6), Offset::ZERO, None);
    assert!(!leader.may_join_isr(NodeId(2)), "beyond the high watermark, but not the epoch's start");
    leader.handle_follower_fetch(NOW, NodeId(2), progress(7, 7), Offset::ZERO, None);
    assert!(leader.may_join_isr(NodeId(2)));
}

#[test]
fn whom_the_controller_would_refuse_is_not_proposed() {
    let mut replica = leader(Durability::Flushed, &[1, 2], &[1], 1);
    let leader = replica.leader_mut().unwrap();
    leader.handle_follower_fetch(NOW, NodeId(2), progress(0, 0), Offset::ZERO, Some(BrokerEpoch(7)));
    let registered = |epoch| move |_, sent| sent == Some(BrokerEpoch(epoch));
    assert_eq!(leader.propose_isr(NOW, LAG_MAX, registered(8)), None);
    let change = leader.propose_isr(NOW, LAG_MAX, registered(7)).unwrap();
    assert_eq!(change.isr, [(ME, None), (NodeId(2), Some(BrokerEpoch(7)))]);
    assert_eq!(leader.isr_in_flight(), Some(&change));
}

#[test]
fn who_is_being_added_holds_the_high_watermark_until_refused() {
    let mut replica = leader(Durability::Flushed, &[1, 2], &[1], 1);
    let leader = replica.leader_mut().unwrap();
    leader.handle_follower_fetch(NOW, NodeId(2), progress(0, 0), Offset::ZERO, None);
    leader.propose_isr(NOW, LAG_MAX, anybody).unwrap();
    assert_eq!(leader.handle_local_progress(progress(5, 5)), None);
    assert_eq!(leader.handle_alter_isr_refused(), Some(Offset(5)));
}

#[test]
fn only_replicas_of_the_newest_process_fetch_as_followers() {
    let mut replica = leader(Durability::Flushed, &[1, 2], &[1, 2], 1);
    let leader_epoch = replica.leader_epoch();
    let leader = replica.leader_mut().unwrap();
    let (unnamed, named) = (LeaderEpoch::NONE, leader_epoch);
    let stranger = NodeId(9);
    let refused = NotFollower::NoReplica { id: stranger };
    assert_eq!(leader.check_follower(stranger, None, unnamed), Err(refused));
    let refused = NotFollower::NoReplicaYet { id: stranger };
    assert_eq!(leader.check_follower(stranger, None, named), Err(refused), "it knows who leads");
    leader.handle_follower_fetch(NOW, NodeId(2), progress(0, 0), Offset::ZERO, Some(BrokerEpoch(7)));
    let former = NotFollower::FormerProcess { id: NodeId(2), sent: BrokerEpoch(6), known: BrokerEpoch(7) };
    assert_eq!(leader.check_follower(NodeId(2), Some(BrokerEpoch(6)), named), Err(former));
    assert_eq!(leader.check_follower(NodeId(2), Some(BrokerEpoch(8)), named), Ok(()));
    assert_eq!(leader.check_follower(ME, None, unnamed), Err(NotFollower::NoReplica { id: ME }));
}

#[test]
fn a_follower_takes_the_leaders_high_watermark_as_far_as_its_log_goes() {
    let mut replica = Replica::new(ME, Durability::Flushed);
    let log = LocalLog { progress: progress(7, 7), high_watermark: Offset(3) };
    replica.handle_partition_state(NOW, state(2, 0, &[1, 2], &[1, 2], 1), log);
    let epoch = LeaderEpoch(0);
    assert_eq!(replica.check_follows(epoch), Ok(NodeId(2)));
    assert!(replica.check_follows(LeaderEpoch(1)).is_err());
    assert_eq!(replica.handle_leader_high_watermark(Offset(9), Offset(7)), Some(Offset(7)));
    assert_eq!(replica.handle_leader_high_watermark(Offset(5), Offset(7)), None, "committed stays committed");
    replica.handle_truncation(Offset(4));
    assert_eq!(replica.high_watermark(), Offset(4));
}

#[test]
fn epochs_fence() {
    let mut replica = leader(Durability::Written, &[1, 2], &[1, 2], 1);
    replica.handle_partition_state(NOW, state(1, 5, &[1, 2], &[1, 2], 1), LocalLog::default());
    let (current, requested) = (LeaderEpoch(5), LeaderEpoch(4));
    assert_eq!(replica.check_leader_epoch(requested), Err(EpochError::Fenced { requested, current }));
    let requested = LeaderEpoch(6);
    assert_eq!(replica.check_leader_epoch(requested), Err(EpochError::Unknown { requested, current }));
    assert_eq!(replica.check_leader_epoch(LeaderEpoch::NONE), Ok(()));
    assert_eq!(replica.check_leader_epoch(current), Ok(()));
}

#[test]
fn older_metadata_changes_nothing() {
    let mut replica = leader(Durability::Written, &[1, 2], &[1, 2], 1);
    replica.handle_partition_state(NOW, state(2, 5, &[1, 2], &[1, 2], 1), LocalLog::default());
    let change = replica.handle_partition_state(NOW, state(1, 4, &[1, 2], &[1, 2], 1), LocalLog::default());
    assert_eq!(change, RoleChange::None);
    assert!(replica.leader().is_err());
}

#[test]
fn a_new_leader_starts_at_its_checkpointed_high_watermark_and_never_past_its_end() {
    let mut replica = Replica::new(ME, Durability::Flushed);
    let log = LocalLog { progress: progress(7, 3), high_watermark: Offset(9) };
    replica.handle_partition_state(NOW, state(1, 0, &[1, 2], &[1, 2], 1), log);
    assert_eq!(replica.high_watermark(), Offset(7));
}

proptest! {
    /// Whatever the order of progress, the high watermark never goes back and never passes what any in-sync
    /// replica has stored.
    #[test]
    fn high_watermark_is_monotonic_and_safe(steps in prop::collection::vec((1_i32..4, 0_i64..50, 0_i64..50), 1..60)) {
        let mut replica = leader(Durability::Flushed, &[1, 2, 3], &[1, 2, 3], 2);
        let leader = replica.leader_mut().unwrap();
        let mut stored = [0_i64; 3];
        let mut last = Offset::ZERO;
        for (id, end, flushed) in steps {
            let slot = &mut stored[usize::try_from(id - 1).unwrap()];
            let (end, flushed) = (end.max(*slot), flushed.max(*slot));
            *slot = end.min(flushed);
            if id == 1 {
                leader.handle_local_progress(progress(end, flushed));
            } else {
                leader.handle_follower_fetch(NOW, NodeId(id), progress(end, flushed), Offset::ZERO, None);
            }
            prop_assert!(leader.high_watermark() >= last);
            last = leader.high_watermark();
            prop_assert_eq!(last.0, *stored.iter().min().unwrap());
        }
    }
}

#[test]
fn who_is_added_to_the_replicas_may_fetch_and_join_and_who_is_taken_out_is_forgotten() {
    let mut replica = leader(Durability::Flushed, &[1, 2], &[1, 2], 1);
    let epoch = replica.leader_epoch();
    let grown =
        PartitionState { partition_epoch: PartitionEpoch(1), ..state(1, epoch.0, &[3, 1, 2], &[1, 2], 1) };
    let change = replica.handle_partition_state(NOW, grown, LocalLog::default());
    assert_eq!(change, RoleChange::LeaderUpdated);
    let leader = replica.leader_mut().unwrap();
    assert_eq!(leader.check_follower(NodeId(3), None, epoch), Ok(()));
    leader.handle_follower_fetch(NOW, NodeId(3), progress(0, 0), Offset::ZERO, None);
    assert!(leader.may_join_isr(NodeId(3)));
    let shrunk =
        PartitionState { partition_epoch: PartitionEpoch(2), ..state(1, epoch.0, &[1, 2], &[1, 2], 1) };
    replica.handle_partition_state(NOW, shrunk, LocalLog::default());
    let leader = replica.leader_mut().unwrap();
    assert!(!leader.has_follower(NodeId(3)) && !leader.may_join_isr(NodeId(3)));
}
