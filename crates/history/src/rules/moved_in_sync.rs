//! C8: a replica is taken out of the replicas, other than one that was still being added, only when all who stay are in sync.

use std::collections::BTreeMap;

use ottla_metadata::image::PartitionImage;

use crate::{History, Version};

pub(super) fn check(history: &History) -> Option<String> {
    let mut last: BTreeMap<i32, &Version> = BTreeMap::new();
    history.versions.iter().find_map(|version| {
        let before = &last.insert(version.partition, version)?.state;
        let after = &version.state;
        // If more than one thing happened at once, nobody knows what was between.
        let is_step = after.partition_epoch.0 == before.partition_epoch.0 + 1;
        (is_step && has_lost_one(before, after) && after.replicas.iter().any(|id| !after.isr.contains(id)))
            .then(|| format!("partition {}: {before:?}, then {after:?}", version.partition))
    })
}

fn has_lost_one(before: &PartitionImage, after: &PartitionImage) -> bool {
    let stayed = |id| after.is_replica(id) || before.adding_replicas.contains(&id);
    before.replicas.iter().any(|id| !stayed(*id))
}

#[cfg(test)]
mod tests {
    use ottla_types::{NodeId, PartitionEpoch};

    use crate::rules::testing::*;

    #[test]
    fn a_replica_that_goes_before_the_new_one_is_in_sync() {
        let early = breaks(|history| {
            let state = &mut history.versions[1].state;
            (state.replicas, state.partition_epoch) = ([NodeId(2), NodeId(3)].into(), PartitionEpoch(1));
        });
        assert_eq!(early, ["C8 moved-in-sync"]);
    }
}
