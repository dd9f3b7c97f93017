//! DeleteGroups: remove empty groups and their offsets.
//!
//! Errors: per group GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.

use ottla_types::{GroupId, TopicPartition};

use crate::error::GroupError;
use crate::records;
use crate::shard::{GroupShard, Out};

/// A DeleteGroups request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteGroups {
    /// The groups.
    pub group_ids: Vec<GroupId>,
}

impl GroupShard {
    pub(crate) fn delete_groups(
        &mut self,
        request: DeleteGroups,
        out: &mut Out,
    ) -> Vec<(GroupId, Result<(), GroupError>)> {
        let mut results = Vec::new();
        for group_id in request.group_ids {
            let result = self.delete_group(&group_id, out);
            results.push((group_id, result));
        }
        results
    }

    fn delete_group(&mut self, group_id: &GroupId, out: &mut Out) -> Result<(), GroupError> {
        let Some(group) = self.groups.get(group_id) else {
            return Err(GroupError::GroupIdNotFound { group_id: group_id.clone() });
        };
        if !group.is_empty() {
            return Err(GroupError::NonEmptyGroup { state: group.state });
        }
        // Sessions of pending members may yet end: they find no group.
        let mut tombstones = 0;
        for partition in self.partitions_of(group_id) {
            out.records.push(records::offset_tombstone(group_id, &partition)?);
            tombstones += 1;
        }
        out.records.push(records::group_tombstone(group_id)?);
        self.counters.offset_deletions += tombstones;
        Ok(())
    }

    /// The partitions of which the group has an offset, or will when open transactions end.
    fn partitions_of(&self, group_id: &GroupId) -> std::collections::BTreeSet<TopicPartition> {
        let committed = self.offsets.group(group_id).into_iter().flatten().flat_map(|(topic, partitions)| {
            partitions.keys().map(move |&partition| TopicPartition::new(topic.clone(), partition))
        });
        committed.chain(self.offsets.pending_partitions(group_id).cloned()).collect()
    }
}

#[cfg(test)]
#[path = "delete_groups_test.rs"]
mod tests;
