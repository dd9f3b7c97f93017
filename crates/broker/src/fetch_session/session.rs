//! One session: the partitions it fetches, in the order they are served, and what was last answered for each.

use std::collections::{BTreeMap, HashMap};

use ottla_types::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};

/// A partition as the client names it: by topic id from Fetch 13 on, by topic name before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PartitionKey {
    pub(crate) topic_id: TopicId,
    pub(crate) topic: TopicName,
    pub(crate) partition: PartitionIndex,
}

/// What a client wants of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FetchPartition {
    pub(crate) key: PartitionKey,
    pub(crate) fetch_offset: Offset,
    pub(crate) max_bytes: i32,
    pub(crate) current_leader_epoch: LeaderEpoch,
    pub(crate) last_fetched_epoch: LeaderEpoch,
    pub(crate) log_start_offset: Offset,
}

/// The part of an answer that a session remembers, to send a partition again only when it changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) high_watermark: i64,
    pub(crate) log_start_offset: i64,
    pub(crate) has_records: bool,
    /// An error, a diverging epoch or a preferred replica: always sent.
    pub(crate) must_send: bool,
}

#[derive(Debug)]
struct Cached {
    wanted: FetchPartition,
    high_watermark: i64,
    log_start_offset: i64,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) uses_topic_ids: bool,
    /// The epoch that the next request must carry.
    pub(super) next_epoch: i32,
    /// Keyed by turn: partitions that got records go to the end, so that all get their share.
    by_turn: BTreeMap<u64, Cached>,
    turn_of: HashMap<PartitionKey, u64>,
    next_turn: u64,
}

impl Session {
    pub(super) fn new(uses_topic_ids: bool, partitions: Vec<FetchPartition>) -> Self {
        let mut session = Self {
            uses_topic_ids,
            next_epoch: 1,
            by_turn: BTreeMap::new(),
            turn_of: HashMap::new(),
            next_turn: 0,
        };
        session.update(partitions, &[]);
        session
    }

    pub(super) fn update(&mut self, changed: Vec<FetchPartition>, forgotten: &[PartitionKey]) {
        for wanted in changed {
            match self.turn_of.get(&wanted.key).and_then(|turn| self.by_turn.get_mut(turn)) {
                Some(cached) => {
                    // The key stays: of two equal names one may lie in a frame of its own.
                    let key = cached.wanted.key.clone();
                    cached.wanted = FetchPartition { key, ..wanted };
                }
                // −1: nothing was answered yet, so that the first answer counts as a change.
                None => self.push(Cached { wanted, high_watermark: -1, log_start_offset: -1 }),
            }
        }
        for key in forgotten {
            if let Some(turn) = self.turn_of.remove(key) {
                self.by_turn.remove(&turn);
            }
        }
    }

    pub(super) fn partitions(&self) -> Vec<FetchPartition> {
        self.by_turn.values().map(|cached| cached.wanted.clone()).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.by_turn.len()
    }

    /// Whether the answer for `key` belongs into an incremental response; remembers it if so.
    pub(super) fn note_answer(&mut self, key: &PartitionKey, answer: Answered) -> bool {
        let Some(turn) = self.turn_of.get(key).copied() else { return true };
        let Some(cached) = self.by_turn.get_mut(&turn) else { return true };
        let changed = cached.high_watermark != answer.high_watermark
            || cached.log_start_offset != answer.log_start_offset;
        cached.high_watermark = answer.high_watermark;
        cached.log_start_offset = answer.log_start_offset;
        if answer.must_send {
            // An error is repeated until it is gone, even if the offsets stay as they are.
            cached.high_watermark = -1;
        }
        if answer.has_records
            && let Some(cached) = self.by_turn.remove(&turn)
        {
            self.push(cached);
        }
        answer.has_records || answer.must_send || changed
    }

    pub(super) fn next_epoch_after(epoch: i32) -> i32 {
        // Wraps to 1: 0 and −1 have meanings of their own.
        if epoch == i32::MAX { 1 } else { epoch + 1 }
    }

    fn push(&mut self, cached: Cached) {
        self.turn_of.insert(cached.wanted.key.clone(), self.next_turn);
        self.by_turn.insert(self.next_turn, cached);
        self.next_turn += 1;
    }
}
