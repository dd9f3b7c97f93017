//! What metrics tell of a shard. Read without waiting for the high watermark.

use std::collections::BTreeMap;

use ottla_types::{ByteString, GroupId, PartitionIndex, TopicName};

use crate::offsets::CommittedOffset;
use crate::shard::GroupShard;
use crate::state::GroupState;

/// What a shard has decided since it was loaded, as Kafka counts it: an append may yet have failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Offsets committed.
    pub offset_commits: u64,
    /// Offsets that outlived their retention.
    pub offset_expirations: u64,
    /// Offsets deleted by request, with their group or with their topic.
    pub offset_deletions: u64,
    /// Generations that got their assignments.
    pub completed_rebalances: u64,
}

/// A group for `kafka_consumergroup_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFact {
    /// Its id.
    pub group_id: GroupId,
    /// `consumer`, …; none for a group that only commits offsets.
    pub protocol_type: Option<ByteString>,
    /// What it is doing.
    pub state: GroupState,
    /// How many members it has.
    pub members: usize,
}

impl GroupShard {
    /// What was decided since the load.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The groups, by name.
    pub fn group_facts(&self) -> impl Iterator<Item = GroupFact> {
        self.groups.iter().map(|group| GroupFact {
            group_id: group.id.clone(),
            protocol_type: group.protocol_type.clone(),
            state: group.state,
            members: group.members.len(),
        })
    }

    /// How many groups are in each state; states without groups are there with 0, `Dead` is not.
    pub fn groups_by_state(&self) -> BTreeMap<GroupState, usize> {
        let live = GroupState::ALL.into_iter().filter(|&state| state != GroupState::Dead);
        let mut counts: BTreeMap<_, _> = live.map(|state| (state, 0)).collect();
        for group in self.groups.iter() {
            *counts.entry(group.state).or_default() += 1;
        }
        counts
    }

    /// How many offsets the groups have.
    pub fn offset_count(&self) -> usize {
        self.offsets.len()
    }

    /// Every committed offset, for `kafka_consumergroup_current_offset` and lag.
    pub fn committed_offsets(
        &self,
    ) -> impl Iterator<Item = (&GroupId, &TopicName, PartitionIndex, &CommittedOffset)> {
        self.offsets.groups().flat_map(|(group, topics)| {
            topics.iter().flat_map(move |(topic, partitions)| {
                partitions.iter().map(move |(&partition, committed)| (group, topic, partition, committed))
            })
        })
    }
}

#[cfg(test)]
#[path = "facts_test.rs"]
mod tests;
