//! The committed offsets of all groups of a shard.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ottla_coordinator::TransactionResult;
use ottla_types::{
    ByteString, GroupId, LeaderEpoch, Offset, PartitionIndex, ProducerId, TimestampMs, TopicId, TopicName,
    TopicPartition,
};

/// Up to where a group has consumed a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record that the group will consume.
    pub offset: Offset,
    /// The leader epoch of the last consumed record; [`LeaderEpoch::NONE`] if the client did not say.
    pub leader_epoch: LeaderEpoch,
    /// What the client wished to remember.
    pub metadata: ByteString,
    /// When it was committed.
    pub commit_timestamp_ms: TimestampMs,
    /// When it expires, where a client of OffsetCommit v2–4 chose that.
    pub expire_timestamp_ms: Option<TimestampMs>,
    /// The topic's id; zero where the client did not use ids.
    pub topic_id: TopicId,
    /// Where its record is. Not part of what clients see: a transaction that ends later than a plain
    /// commit does not override it if its own record is older.
    pub(crate) record_offset: Offset,
}

/// One group's offsets by topic and partition.
pub(crate) type GroupOffsets = BTreeMap<TopicName, BTreeMap<PartitionIndex, CommittedOffset>>;

/// The committed offsets of all groups, and those of open transactions. Durable: changes in replay only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offsets {
    groups: HashMap<GroupId, GroupOffsets>,
    len: usize,
    /// Offsets that open transactions will commit.
    pending: HashMap<GroupId, BTreeMap<TopicPartition, BTreeMap<ProducerId, CommittedOffset>>>,
    /// Where each open transaction's offsets are.
    transactions: BTreeMap<ProducerId, BTreeSet<(GroupId, TopicPartition)>>,
}

impl Offsets {
    pub(crate) fn get(
        &self,
        group: &str,
        topic: &str,
        partition: PartitionIndex,
    ) -> Option<&CommittedOffset> {
        self.groups.get(group)?.get(topic)?.get(&partition)
    }

    pub(crate) fn group(&self, group: &str) -> Option<&GroupOffsets> {
        self.groups.get(group)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = (&GroupId, &GroupOffsets)> {
        self.groups.iter()
    }

    /// How many offsets all groups have.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether an open transaction will commit an offset of the partition.
    pub(crate) fn is_pending(&self, group: &str, partition: &TopicPartition) -> bool {
        self.pending.get(group).is_some_and(|pending| pending.contains_key(partition))
    }

    pub(crate) fn has_pending(&self, group: &str) -> bool {
        self.pending.contains_key(group)
    }

    /// The partitions of `group` that open transactions will commit offsets of.
    pub(crate) fn pending_partitions(&self, group: &str) -> impl Iterator<Item = &TopicPartition> {
        self.pending.get(group).into_iter().flat_map(BTreeMap::keys)
    }

    /// Groups and partitions that open transactions will commit offsets of.
    pub(crate) fn all_pending(
        &self,
    ) -> impl Iterator<Item = (&GroupId, &TopicPartition, &BTreeMap<ProducerId, CommittedOffset>)> {
        self.pending.iter().flat_map(|(group, partitions)| {
            partitions.iter().map(move |(partition, offsets)| (group, partition, offsets))
        })
    }

    /// Replays a commit: at once, or with the end of `producer`'s transaction.
    pub(crate) fn replay_commit(
        &mut self,
        producer: Option<ProducerId>,
        group: GroupId,
        partition: TopicPartition,
        committed: CommittedOffset,
    ) {
        match producer {
            None => self.put(group, partition, committed),
            Some(producer) => {
                let open = self.transactions.entry(producer).or_default();
                open.insert((group.clone(), partition.clone()));
                let pending = self.pending.entry(group).or_default().entry(partition).or_default();
                pending.insert(producer, committed);
            }
        }
    }

    /// Replays a tombstone: the offset is gone, and those that open transactions would have committed.
    pub(crate) fn replay_tombstone(&mut self, group: &GroupId, partition: &TopicPartition) {
        self.remove(group, partition);
        for producer in self.take_pending(group, partition).into_keys() {
            if let Some(open) = self.transactions.get_mut(&producer) {
                open.remove(&(group.clone(), partition.clone()));
                if open.is_empty() {
                    self.transactions.remove(&producer);
                }
            }
        }
    }

    /// Replays the end of `producer`'s transaction.
    pub(crate) fn replay_transaction_end(&mut self, producer: ProducerId, result: TransactionResult) {
        for (group, partition) in self.transactions.remove(&producer).unwrap_or_default() {
            let Some(committed) = self.take_pending_of(producer, &group, &partition) else { continue };
            let last = self.get(&group, partition.topic.as_str(), partition.partition);
            let is_newer = last.is_none_or(|last| committed.record_offset > last.record_offset);
            if result == TransactionResult::Commit && is_newer {
                self.put(group, partition, committed);
            }
        }
    }

    fn put(&mut self, group: GroupId, partition: TopicPartition, committed: CommittedOffset) {
        let topics = self.groups.entry(group).or_default();
        let former = topics.entry(partition.topic).or_default().insert(partition.partition, committed);
        if former.is_none() {
            self.len += 1;
        }
    }

    fn remove(&mut self, group: &GroupId, partition: &TopicPartition) {
        let Some(topics) = self.groups.get_mut(group) else { return };
        let Some(partitions) = topics.get_mut(&partition.topic) else { return };
        if partitions.remove(&partition.partition).is_some() {
            self.len -= 1;
        }
        if partitions.is_empty() {
            topics.remove(&partition.topic);
        }
        if topics.is_empty() {
            self.groups.remove(group);
        }
    }

    fn take_pending(
        &mut self,
        group: &GroupId,
        partition: &TopicPartition,
    ) -> BTreeMap<ProducerId, CommittedOffset> {
        let Some(partitions) = self.pending.get_mut(group) else { return BTreeMap::new() };
        let pending = partitions.remove(partition).unwrap_or_default();
        if partitions.is_empty() {
            self.pending.remove(group);
        }
        pending
    }

    fn take_pending_of(
        &mut self,
        producer: ProducerId,
        group: &GroupId,
        partition: &TopicPartition,
    ) -> Option<CommittedOffset> {
        let partitions = self.pending.get_mut(group)?;
        let pending = partitions.get_mut(partition)?;
        let committed = pending.remove(&producer);
        if pending.is_empty() {
            partitions.remove(partition);
        }
        if partitions.is_empty() {
            self.pending.remove(group);
        }
        committed
    }
}

#[cfg(test)]
#[path = "offsets_test.rs"]
mod tests;
