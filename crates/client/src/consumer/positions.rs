//! Where a consumer is in each of its partitions. No I/O.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use ottla_types::{Offset, TopicPartition};
use tokio::time::Instant;

use super::fetched::Fetched;
use super::record::ConsumerRecord;
use crate::Result;
use crate::cluster::OffsetSpec;

/// The partitions that a consumer reads.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    partitions: BTreeMap<TopicPartition, Partition>,
    /// Partitions with fetched records, in the order in which they take turns.
    ready: VecDeque<TopicPartition>,
}

#[derive(Debug)]
pub(crate) struct Partition {
    /// The same name in all its records.
    pub(crate) name: Arc<TopicPartition>,
    pub(crate) position: Position,
    pub(crate) paused: bool,
    /// A fetch from this offset is under way.
    pub(crate) fetching: Option<Offset>,
    /// No fetch before this.
    pub(crate) not_before: Option<Instant>,
    /// Where the log ended at the last fetch.
    pub(crate) high_watermark: Option<Offset>,
    buffer: Option<Fetched>,
}

/// Where to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// At the committed offset.
    Committed,
    /// At an offset that has to be looked up.
    LookUp(OffsetSpec),
    /// Here.
    At(Offset),
}

impl Positions {
    /// Reads exactly these; those that stay keep their positions.
    pub(crate) fn assign(&mut self, partitions: impl IntoIterator<Item = TopicPartition>, start: Position) {
        let mut old = std::mem::take(&mut self.partitions);
        for partition in partitions {
            let state = old.remove(&partition).unwrap_or_else(|| Partition {
                name: Arc::new(partition.clone()),
                position: start,
                paused: false,
                fetching: None,
                not_before: None,
                high_watermark: None,
                buffer: None,
            });
            self.partitions.insert(partition, state);
        }
        let partitions = &self.partitions;
        self.ready.retain(|p| partitions.contains_key(p));
    }

    pub(crate) fn clear(&mut self) {
        self.partitions.clear();
        self.ready.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Partition)> {
        self.partitions.iter()
    }

    pub(crate) fn get(&self, partition: &TopicPartition) -> Option<&Partition> {
        self.partitions.get(partition)
    }

    pub(crate) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Partition> {
        self.partitions.get_mut(partition)
    }

    /// Moves a partition; what was fetched for it is dropped. `false` if it is not assigned.
    pub(crate) fn seek(&mut self, partition: &TopicPartition, position: Position) -> bool {
        let Some(state) = self.partitions.get_mut(partition) else { return false };
        state.position = position;
        state.buffer = None;
        state.fetching = None;
        true
    }

    /// What is to be fetched now: the offset of each partition that has one and nothing else to do.
    pub(crate) fn wanted(&self, now: Instant) -> impl Iterator<Item = (&TopicPartition, Offset)> {
        self.partitions.iter().filter_map(move |(partition, state)| match state.position {
            Position::At(offset) => {
                let idle = state.buffer.is_none() && state.fetching.is_none() && !state.paused;
                (idle && state.not_before.is_none_or(|at| at <= now)).then_some((partition, offset))
            }
            _ => None,
        })
    }

    /// No fetch is under way any more.
    pub(crate) fn forget_fetches(&mut self) {
        self.partitions.values_mut().for_each(|p| p.fetching = None);
    }

    /// Takes in what a fetch from `asked` brought, unless the partition has moved since.
    pub(crate) fn fetched(&mut self, partition: &TopicPartition, asked: Offset, fetched: Fetched) {
        let Some(state) = self.partitions.get_mut(partition) else { return };
        if state.position == Position::At(asked) && state.buffer.is_none() {
            state.buffer = Some(fetched);
            self.ready.push_back(partition.clone());
        }
    }

    /// Up to `max` records that were fetched; partitions take turns.
    pub(crate) fn take(&mut self, max: usize) -> Result<Vec<ConsumerRecord>> {
        let mut records = Vec::new();
        let mut turns = self.ready.len();
        while let Some(partition) = self.ready.pop_front() {
            if records.len() >= max || turns == 0 {
                self.ready.push_front(partition);
                break;
            }
            turns -= 1;
            let Some(state) = self.partitions.get_mut(&partition) else { continue };
            if state.paused {
                if state.buffer.is_some() {
                    self.ready.push_back(partition);
                }
                continue;
            }
            match state.drain(max, &mut records) {
                Ok(true) => self.ready.push_front(partition),
                Ok(false) => {}
                Err(e) => {
                    state.buffer = None;
                    return Err(e);
                }
            }
        }
        Ok(records)
    }
}

impl Partition {
    /// Moves fetched records over until there are `max`. Whether some are left.
    fn drain(&mut self, max: usize, records: &mut Vec<ConsumerRecord>) -> Result<bool> {
        let Some(buffer) = &mut self.buffer else { return Ok(false) };
        while records.len() < max {
            match buffer.next_record() {
                Some(Ok(record)) => records.push(record),
                Some(Err(e)) => {
                    self.position = Position::At(buffer.position());
                    if records.is_empty() {
                        return Err(e);
                    }
                    // What is broken is fetched and met again.
                    self.buffer = None;
                    return Ok(false);
                }
                None => {
                    self.position = Position::At(buffer.position());
                    self.buffer = None;
                    return Ok(false);
                }
            }
        }
        self.position = Position::At(buffer.position());
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::IsolationLevel;
    use bytes::Bytes;
    use ottla_records::BatchBuilder;

    fn log(values: &[&str]) -> Bytes {
        let mut builder = BatchBuilder::new();
        for value in values {
            builder.append(0, None, Some(value.as_bytes()), &[]).unwrap();
        }
        builder.build().unwrap()
    }

    fn partition(index: i32) -> TopicPartition {
        TopicPartition::new("t", index)
    }

    fn fetched(positions: &mut Positions, index: i32, values: &[&str], from: i64) {
        let name = Arc::new(partition(index));
        let f = Fetched::new(name, &log(values), Offset(from), true, IsolationLevel::default(), Vec::new());
        positions.fetched(&partition(index), Offset(from), f);
    }

    fn take(positions: &mut Positions, max: usize) -> Vec<String> {
        let records = positions.take(max).unwrap();
        records.iter().map(|r| String::from_utf8_lossy(r.value.as_ref().unwrap()).into_owned()).collect()
    }

    fn at_zero(partitions: i32) -> Positions {
        let mut positions = Positions::default();
        positions.assign((0..partitions).map(partition), Position::At(Offset(0)));
        positions
    }

    #[tokio::test]
    async fn a_partition_is_fetched_again_when_it_was_taken_empty() {
        let mut positions = at_zero(1);
        assert_eq!(positions.wanted(Instant::now()).count(), 1);
        fetched(&mut positions, 0, &["a", "b", "c"], 0);
        assert_eq!(positions.wanted(Instant::now()).count(), 0);
        assert_eq!(take(&mut positions, 2), ["a", "b"]);
        assert_eq!(positions.get(&partition(0)).unwrap().position, Position::At(Offset(2)));
        assert_eq!(positions.wanted(Instant::now()).count(), 0);
        assert_eq!(take(&mut positions, 2), ["c"]);
        assert_eq!(positions.wanted(Instant::now()).next().unwrap().1, Offset(3));
    }

    #[tokio::test]
    async fn what_was_fetched_before_a_seek_is_dropped() {
        let mut positions = at_zero(1);
        positions.seek(&partition(0), Position::At(Offset(1)));
        fetched(&mut positions, 0, &["a", "b"], 0);
        assert!(take(&mut positions, 9).is_empty());
        fetched(&mut positions, 0, &["a", "b"], 1);
        assert_eq!(take(&mut positions, 9), ["b"]);
    }

    #[tokio::test]
    async fn reassignment_keeps_positions_and_drops_the_rest() {
        let mut positions = at_zero(2);
        fetched(&mut positions, 0, &["a"], 0);
        fetched(&mut positions, 1, &["b"], 0);
        positions.assign([partition(1), partition(2)], Position::Committed);
        assert_eq!(take(&mut positions, 9), ["b"]);
        assert_eq!(positions.get(&partition(2)).unwrap().position, Position::Committed);
        assert!(positions.get(&partition(0)).is_none());
    }

    #[tokio::test]
    async fn paused_partitions_give_nothing_and_lose_nothing() {
        let mut positions = at_zero(1);
        fetched(&mut positions, 0, &["a"], 0);
        positions.get_mut(&partition(0)).unwrap().paused = true;
        assert!(take(&mut positions, 9).is_empty());
        positions.get_mut(&partition(0)).unwrap().paused = false;
        assert_eq!(take(&mut positions, 9), ["a"]);
    }
}
