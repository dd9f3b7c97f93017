//! Which leader epoch began at which offset (KIP-101); `leader-epoch-checkpoint`.
//!
//! ```text
//!  epoch     0          3              4
//!            ├──────────┼──────────────┼──────▶ log end
//!  offset    0         120            300
//! ```

use ottla_types::{LeaderEpoch, Offset};

/// The epochs of one log, oldest first; epochs and start offsets both ascend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct EpochCache(Vec<EpochStart>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EpochStart {
    epoch: LeaderEpoch,
    start: Offset,
}

impl EpochCache {
    pub(crate) fn latest(&self) -> Option<LeaderEpoch> {
        self.0.last().map(|e| e.epoch)
    }

    /// Records that `epoch` starts at `start`, unless it, or a later one, is known. True if something changed.
    pub(crate) fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        if !epoch.is_some() || self.latest().is_some_and(|latest| epoch <= latest) {
            return false;
        }
        // An epoch without a single record leaves no trace.
        self.0.retain(|e| e.start < start);
        self.0.push(EpochStart { epoch, start });
        true
    }

    /// Where the first known epoch starts.
    pub(crate) fn known_from(&self) -> Option<Offset> {
        self.0.first().map(|e| e.start)
    }

    /// Adds what `later` knows beyond the end of this one.
    pub(crate) fn extend(&mut self, later: &Self) {
        for e in &later.0 {
            self.assign(e.epoch, e.start);
        }
    }

    /// The epoch that the record at `offset` was appended in.
    pub(crate) fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        self.0.iter().rev().find(|e| e.start <= offset).map(|e| e.epoch)
    }

    /// The largest epoch up to `asked`, and the offset where it ended; what OffsetForLeaderEpoch answers. `None`: not
    /// known (`LeaderEpochFileCache.endOffsetFor`).
    pub(crate) fn end_offset_for(
        &self,
        asked: LeaderEpoch,
        log_end: Offset,
    ) -> Option<(LeaderEpoch, Offset)> {
        if !asked.is_some() {
            return None;
        }
        let latest = self.latest()?;
        if asked == latest {
            return Some((asked, log_end));
        }
        let first_after = self.0.iter().position(|e| e.epoch > asked)?;
        let end = self.0.get(first_after)?.start;
        match first_after.checked_sub(1).and_then(|i| self.0.get(i)) {
            // All known epochs are later: the asked one ended where the first of them starts.
            None => Some((asked, end)),
            Some(floor) => Some((floor.epoch, end)),
        }
    }

    /// Drops epochs that start at or after `end`. True if something changed.
    pub(crate) fn truncate_from_end(&mut self, end: Offset) -> bool {
        let before = self.0.len();
        self.0.retain(|e| e.start < end);
        before != self.0.len()
    }

    /// The log now starts at `start`: the epoch there starts there, earlier ones go. True if something changed.
    pub(crate) fn truncate_from_start(&mut self, start: Offset) -> bool {
        let Some(at) = self.0.iter().rposition(|e| e.start <= start) else { return false };
        let changed = at > 0 || self.0.first().is_some_and(|e| e.start != start);
        self.0.drain(..at);
        if let Some(first) = self.0.first_mut() {
            first.start = start;
        }
        changed
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The file's text: version, count, one `epoch start` a line.
    pub(crate) fn to_text(&self) -> String {
        let mut text = format!("0\n{}\n", self.0.len());
        for e in &self.0 {
            text.push_str(&format!("{} {}\n", e.epoch, e.start));
        }
        text
    }

    /// Reads [`EpochCache::to_text`]; `None` if the file is damaged.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        if lines.next()? != "0" {
            return None;
        }
        let count: usize = lines.next()?.parse().ok()?;
        let mut cache = Self::default();
        for line in lines {
            let (epoch, start) = line.split_once(' ')?;
            if !cache.assign(LeaderEpoch(epoch.parse().ok()?), Offset(start.parse().ok()?)) {
                return None;
            }
        }
        (cache.0.len() == count).then_some(cache)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache() -> EpochCache {
        EpochCache::parse("0\n3\n0 0\n3 120\n4 300\n").unwrap()
    }

    fn end(asked: i32) -> Option<(i32, i64)> {
        cache().end_offset_for(LeaderEpoch(asked), Offset(500)).map(|(e, o)| (e.0, o.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_starts() {
        assert_eq!(end(0), Some((0, 120)));
        assert_eq!(end(2), Some((0, 120)), "the largest epoch up to the asked one");
        assert_eq!(end(3), Some((3, 300)));
        assert_eq!(end(4), Some((4, 500)), "the latest ends with the log");
        assert_eq!(end(5), None);
        assert_eq!(end(-1), None);
    }

    #[test]
    fn an_asked_epoch_before_all_ends_at_the_first() {
        let mut late = cache();
        assert!(late.truncate_from_start(Offset(150)));
        assert_eq!(late.end_offset_for(LeaderEpoch(1), Offset(500)), Some((LeaderEpoch(1), Offset(150))));
        assert_eq!(late.epoch_at(Offset(200)), Some(LeaderEpoch(3)));
    }

    #[test]
    fn an_epoch_without_records_is_replaced() {
        let mut cache = cache();
        assert!(cache.assign(LeaderEpoch(5), Offset(500)));
        assert!(cache.assign(LeaderEpoch(6), Offset(500)));
        assert!(!cache.assign(LeaderEpoch(6), Offset(510)));
        assert!(!cache.assign(LeaderEpoch(2), Offset(510)));
        assert_eq!(cache.to_text(), "0\n4\n0 0\n3 120\n4 300\n6 500\n");
        assert!(cache.truncate_from_end(Offset(300)));
        assert_eq!(cache.latest(), Some(LeaderEpoch(3)));
    }

    #[test]
    fn damaged_text_is_refused() {
        for text in ["", "1\n0\n", "0\n2\n0 0\n", "0\n2\n0 0\n0 5\n", "0\n1\nx 0\n"] {
            assert_eq!(EpochCache::parse(text), None, "{text:?}");
        }
    }
}
