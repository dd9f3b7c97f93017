//! C1 to C4: what controllers commit about a partition.

use std::collections::BTreeMap;

use crate::{History, Version};

/// C1: an epoch has one leader.
pub(super) fn check_one_leader(history: &History) -> Option<String> {
    let mut leaders = BTreeMap::new();
    history.versions.iter().find_map(|version| {
        let (partition, state) = (version.partition, &version.state);
        let first = *leaders.entry((partition, state.leader_epoch)).or_insert(state.leader);
        (first != state.leader).then(|| {
            format!("partition {partition} epoch {}: {first} and {}", state.leader_epoch, state.leader)
        })
    })
}

/// C2: the leader epoch never falls, and the partition epoch counts each change.
pub(super) fn check_epochs(history: &History) -> Option<String> {
    let mut last: BTreeMap<i32, &Version> = BTreeMap::new();
    for version in &history.versions {
        if let Some(before) = last.insert(version.partition, version) {
            let (before, after) = (&before.state, &version.state);
            let rises =
                after.leader_epoch >= before.leader_epoch && after.partition_epoch > before.partition_epoch;
            if !rises {
                return Some(format!("partition {}: {before:?}, then {after:?}", version.partition));
            }
        }
    }
    None
}

/// C3: who is in sync, or eligible, is a replica.
pub(super) fn check_isr(history: &History) -> Option<String> {
    let bad = history.versions.iter().find(|version| {
        let state = &version.state;
        state.isr.iter().chain(&state.elr).any(|&id| !state.is_replica(id))
    })?;
    Some(format!("{bad:?}"))
}

/// C4: a leader is in sync.
pub(super) fn check_leader(history: &History) -> Option<String> {
    let bad = history.versions.iter().find(|version| {
        let state = &version.state;
        state.has_leader() && !state.isr.contains(&state.leader)
    })?;
    Some(format!("{bad:?}"))
}

#[cfg(test)]
mod tests {
    use ottla_types::{LeaderEpoch, NodeId, PartitionEpoch};

    use crate::rules::testing::*;

    #[test]
    fn two_leaders_of_an_epoch() {
        let two = breaks(|history| history.versions[1].state.leader_epoch = LeaderEpoch(0));
        assert_eq!(two, ["C1 one-leader-per-epoch"]);
    }

    #[test]
    fn a_partition_epoch_that_does_not_rise() {
        let stays = breaks(|history| history.versions[1].state.partition_epoch = PartitionEpoch(0));
        assert_eq!(stays, ["C2 epochs-rise"]);
    }

    #[test]
    fn a_stranger_in_sync() {
        let stranger = breaks(|history| history.versions[1].state.isr = [NodeId(2), NodeId(9)].into());
        assert_eq!(stranger, ["C3 isr-of-replicas"]);
    }

    #[test]
    fn a_leader_out_of_sync() {
        let out = breaks(|history| history.versions[1].state.isr = [NodeId(1)].into());
        assert_eq!(out, ["C4 leader-in-isr"]);
    }
}
