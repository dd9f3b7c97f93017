//! When an append is synced: `log.durability`, with Kafka's `flush.messages` and `flush.ms` on top.

use std::time::Duration;

use super::flush_queue::FlushBy;

/// Records that nobody waits for are synced within this time, so that they become readable.
const UNAWAITED: Duration = Duration::from_millis(5);

/// Where Ottla syncs, no more than this is left unsynced for long: it bounds what a restart has to check.
const MAX_UNSYNCED_BYTES: u64 = 64 * 1024 * 1024;

/// Where it is left to the operating system, so much has to be checked at most once the machine has gone down; after the
/// death of the process alone, [`MARK_INTERVAL_BYTES`] at most. Kafka syncs full segments, of 1 GiB.
const MAX_LEFT_TO_SYSTEM_BYTES: u64 = 1 << 30;

/// How often a log whose syncing is left to the operating system tells how far it has been written.
pub(crate) const MARK_INTERVAL_BYTES: u64 = 64 * 1024 * 1024;

/// There a log is synced only that long after an append, be it idle since or have [`MAX_LEFT_TO_SYSTEM_BYTES`]: about when
/// Linux has written it out by itself (`vm.dirty_expire_centisecs`). A sync of what it has not written is dear, and holds up
/// the appends of the whole file system.
const LEFT_ALONE: Duration = Duration::from_secs(30);

/// What a log has that is not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsynced {
    /// Records.
    pub(crate) records: i64,
    /// Bytes appended since the last sync began.
    pub(crate) bytes: u64,
}

/// `log.durability`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncMode {
    /// Acknowledged means synced.
    Fsync,
    /// Synced every so often.
    Interval(Duration),
    /// Left to the operating system, as in Kafka.
    Os,
}

/// When an append is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyncPolicy {
    /// `log.durability`.
    pub(crate) mode: SyncMode,
    /// `flush.messages`: at once when so many records are not synced.
    pub(crate) flush_messages: i64,
    /// `flush.ms`: at the latest after this time; `None` for never.
    pub(crate) flush_within: Option<Duration>,
}

impl SyncPolicy {
    pub(crate) fn is_fsync(&self) -> bool {
        self.mode == SyncMode::Fsync
    }

    /// What to do after an append; `awaited` if an acknowledgement waits.
    pub(crate) fn after_append(&self, awaited: bool, unsynced: Unsynced) -> FlushBy {
        let is_much = self.mode != SyncMode::Os && unsynced.bytes >= MAX_UNSYNCED_BYTES;
        if unsynced.records >= self.flush_messages || is_much {
            return FlushBy::Now;
        }
        let by_mode = match self.mode {
            SyncMode::Fsync if awaited => return FlushBy::Now,
            SyncMode::Fsync => UNAWAITED,
            SyncMode::Interval(every) => every,
            SyncMode::Os => LEFT_ALONE,
        };
        FlushBy::Within(self.flush_within.map_or(by_mode, |within| within.min(by_mode)))
    }

    /// Whether a sync that is due can wait once more, and for how long: nobody asks for it, and the log is neither idle nor has
    /// much that is not synced.
    pub(crate) fn can_wait(&self, appended_since: bool, unsynced_bytes: u64) -> Option<Duration> {
        let is_left_to_system = self.mode == SyncMode::Os && self.flush_within.is_none();
        let waits = is_left_to_system && appended_since && unsynced_bytes < MAX_LEFT_TO_SYSTEM_BYTES;
        waits.then_some(LEFT_ALONE)
    }

    /// When a log that was opened is synced: what it has may be left of a process that died.
    pub(crate) fn after_opening(&self) -> FlushBy {
        if self.mode == SyncMode::Os { FlushBy::Within(LEFT_ALONE) } else { FlushBy::Now }
    }
}

/// How long a sync waits that failed for want of space or descriptors, `failures` times in a row: from a tenth of a second
/// to about six seconds.
pub(crate) fn retry_after(failures: u32) -> Duration {
    Duration::from_millis(100 << failures.saturating_sub(1).min(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: i64 = i64::MAX;

    fn records(records: i64) -> Unsynced {
        Unsynced { records, bytes: 1000 }
    }

    fn policy(mode: SyncMode, flush_messages: i64, flush_ms: Option<u64>) -> SyncPolicy {
        SyncPolicy { mode, flush_messages, flush_within: flush_ms.map(Duration::from_millis) }
    }

    #[test]
    fn an_awaited_append_is_synced_at_once_only_in_fsync_mode() {
        assert_eq!(policy(SyncMode::Fsync, NEVER, None).after_append(true, records(1)), FlushBy::Now);
        assert_eq!(
            policy(SyncMode::Fsync, NEVER, None).after_append(false, records(1)),
            FlushBy::Within(UNAWAITED)
        );
        let late = FlushBy::Within(LEFT_ALONE);
        assert_eq!(policy(SyncMode::Os, NEVER, None).after_append(true, records(1)), late);
        let every = Duration::from_secs(1);
        let within = FlushBy::Within(every);
        assert_eq!(policy(SyncMode::Interval(every), NEVER, None).after_append(true, records(1)), within);
    }

    #[test]
    fn what_a_restart_checks_is_bounded_in_every_mode() {
        for mode in [SyncMode::Fsync, SyncMode::Interval(LEFT_ALONE)] {
            let unsynced =
                |bytes| policy(mode, NEVER, None).after_append(false, Unsynced { records: 1, bytes });
            assert_ne!(unsynced(MAX_UNSYNCED_BYTES - 1), FlushBy::Now);
            assert_eq!(unsynced(MAX_UNSYNCED_BYTES), FlushBy::Now);
        }
        let os = policy(SyncMode::Os, NEVER, None);
        assert!(os.can_wait(true, MAX_LEFT_TO_SYSTEM_BYTES - 1).is_some());
        assert_eq!(os.can_wait(true, MAX_LEFT_TO_SYSTEM_BYTES), None);
    }

    #[test]
    fn only_a_busy_log_that_is_left_to_the_system_is_not_synced_when_its_time_comes() {
        assert_eq!(policy(SyncMode::Os, NEVER, None).can_wait(true, 1), Some(LEFT_ALONE));
        assert_eq!(policy(SyncMode::Os, NEVER, None).can_wait(false, 1), None);
        assert_eq!(policy(SyncMode::Os, NEVER, Some(1000)).can_wait(true, 1), None);
        assert_eq!(policy(SyncMode::Fsync, NEVER, None).can_wait(true, 1), None);
        assert_eq!(policy(SyncMode::Interval(LEFT_ALONE), NEVER, None).can_wait(true, 1), None);
    }

    #[test]
    fn failed_syncs_are_tried_again_ever_less_often() {
        let ms = |failures| retry_after(failures).as_millis();
        assert_eq!([ms(1), ms(2), ms(7), ms(8), ms(u32::MAX)], [100, 200, 6400, 6400, 6400]);
    }

    #[test]
    fn kafkas_flush_settings_hold_in_every_mode() {
        assert_eq!(policy(SyncMode::Os, 1, None).after_append(false, records(1)), FlushBy::Now);
        let late = FlushBy::Within(LEFT_ALONE);
        assert_eq!(policy(SyncMode::Os, 3, None).after_append(false, records(2)), late);
        let within = FlushBy::Within(Duration::from_millis(7));
        assert_eq!(policy(SyncMode::Os, NEVER, Some(7)).after_append(false, records(1)), within);
        let sooner = FlushBy::Within(Duration::from_millis(2));
        assert_eq!(policy(SyncMode::Fsync, NEVER, Some(2)).after_append(false, records(1)), sooner);
    }
}
