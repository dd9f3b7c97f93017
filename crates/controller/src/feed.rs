//! The newest committed batches, for brokers that follow the metadata.

use std::collections::VecDeque;

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset};

/// How much is kept: who lags further gets a snapshot.
const MAX_BYTES: usize = 4 << 20;

/// One committed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedEntry {
    /// The offset of its first record.
    pub(crate) base_offset: Offset,
    /// The controller epoch that it was decided in.
    pub(crate) epoch: LeaderEpoch,
    /// The batch, as committed.
    pub(crate) payload: Bytes,
}

/// The newest committed batches, without a gap up to the last one.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    entries: VecDeque<FeedEntry>,
    bytes: usize,
}

impl Feed {
    pub(crate) fn push(&mut self, entry: FeedEntry) {
        self.bytes += entry.payload.len();
        self.entries.push_back(entry);
        while self.bytes > MAX_BYTES && self.entries.len() > 1 {
            if let Some(oldest) = self.entries.pop_front() {
                self.bytes -= oldest.payload.len();
            }
        }
    }

    /// A snapshot was loaded: what was before does not lead up to what comes.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// The batches after `offset`, at most `max_bytes` but at least one; `None` if they are not all here any more.
    pub(crate) fn after(&self, offset: Offset, max_bytes: usize) -> Option<Vec<FeedEntry>> {
        let first = self.entries.partition_point(|entry| entry.base_offset <= offset);
        let next = self.entries.get(first)?;
        if next.base_offset != offset.next() {
            return None;
        }
        let mut left = max_bytes;
        let mut taken = Vec::new();
        for entry in self.entries.range(first..) {
            if !taken.is_empty() && entry.payload.len() > left {
                break;
            }
            left = left.saturating_sub(entry.payload.len());
            taken.push(entry.clone());
        }
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(base_offset: i64, len: usize) -> FeedEntry {
        FeedEntry {
            base_offset: Offset(base_offset),
            epoch: LeaderEpoch(1),
            payload: Bytes::from(vec![0; len]),
        }
    }

    fn offsets(feed: &Feed, after: i64, max_bytes: usize) -> Option<Vec<i64>> {
        let entries = feed.after(Offset(after), max_bytes)?;
        Some(entries.iter().map(|entry| entry.base_offset.0).collect())
    }

    #[test]
    fn batches_follow_what_the_reader_has() {
        let mut feed = Feed::default();
        for base in [0, 3, 4] {
            feed.push(entry(base, 10));
        }
        assert_eq!(offsets(&feed, -1, 100), Some(vec![0, 3, 4]));
        assert_eq!(offsets(&feed, 2, 15), Some(vec![3]));
        assert_eq!(offsets(&feed, 3, 1), Some(vec![4]), "at least one");
        assert_eq!(offsets(&feed, 1, 100), None, "a reader is never in the middle of a batch");
        assert_eq!(offsets(&feed, 9, 100), None);
    }

    #[test]
    fn old_batches_make_room() {
        let mut feed = Feed::default();
        for base in 0..5 {
            feed.push(entry(base, MAX_BYTES / 3));
        }
        assert_eq!(offsets(&feed, -1, 100), None);
        assert_eq!(offsets(&feed, 1, 1), Some(vec![2]));
        feed.push(entry(5, MAX_BYTES * 2));
        assert_eq!(offsets(&feed, 4, 1), Some(vec![5]), "the newest stays, whatever its size");
    }
}
