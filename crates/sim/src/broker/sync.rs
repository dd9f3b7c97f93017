//! Syncs, which take time (in place of the sync threads), and what follows from them.

use std::time::Duration;

use super::{Broker, Syncing};
use crate::cx::{Cx, Timer};
use ottla_history::Watermark;
use ottla_types::NodeId;

impl Broker {
    pub(super) fn schedule_sync(&mut self, cx: &mut Cx, partition: i32) {
        let me = self.address();
        let Some(hosted) = self.hosted(partition) else { return };
        let Some(at_once) = hosted.bare.sync_queued() else { return };
        // One that is to come later does not keep one that is wanted now.
        if hosted.sync_due.is_some_and(|due| due || !at_once) {
            return;
        }
        hosted.sync_due = Some(at_once);
        let wait = Duration::from_micros(if at_once { cx.between(20, 200) } else { 5000 });
        cx.remind(me, wait, Timer::BeginSync { partition, at_once });
    }

    pub(super) fn begin_sync(&mut self, cx: &mut Cx, partition: i32, at_once: bool) {
        let me = self.address();
        let Some(hosted) = self.hosted(partition) else { return };
        if hosted.sync_due != Some(at_once) {
            return;
        }
        hosted.sync_due = None;
        let Some(sync) = hosted.bare.begin_sync() else { return };
        // The device may have done it long before the process hears of it, or not before.
        hosted.syncing = Some(if cx.one_in(2) { Syncing::Done(sync.run()) } else { Syncing::Begun(sync) });
        let micros = if cx.one_in(30) { cx.between(5_000, 120_000) } else { cx.between(300, 3000) };
        cx.remind(me, Duration::from_micros(micros), Timer::EndSync { partition });
    }

    pub(super) fn end_sync(&mut self, partition: i32) {
        let Some(hosted) = self.hosted(partition) else { return };
        match hosted.syncing.take() {
            Some(Syncing::Begun(sync)) => hosted.bare.end_sync(sync.run()),
            Some(Syncing::Done(done)) => hosted.bare.end_sync(done),
            None => {}
        }
    }

    pub(super) fn write_checkpoints(&mut self, cx: &mut Cx) {
        let Some(running) = &self.running else { return };
        if let Err(error) = running.dir.write_checkpoints().and_then(|()| running.dir.run_deletions(16)) {
            cx.note(format_args!("broker {} checkpoints: {error}", self.id));
        }
        cx.remind(self.address(), Duration::from_secs(1), Timer::Checkpoints);
    }

    /// Notes where a leader's log ends, and how far it is committed.
    pub(super) fn note_progress(&mut self, cx: &mut Cx, partition: i32) {
        let id = self.id;
        let Some(hosted) = self.hosted(partition) else { return };
        let (start, seen) = hosted.bare.look(|log, high_watermark, epoch| {
            (log.log_start_offset(), (high_watermark, log.log_end_offset(), epoch))
        });
        if seen == hosted.seen {
            return;
        }
        hosted.seen = seen;
        let (high_watermark, log_end, epoch) = seen;
        cx.note(format_args!(
            "broker {id} partition {partition} epoch {epoch} HW {high_watermark} LEO {log_end}"
        ));
        if hosted.bare.is_leader() {
            let leader = (NodeId(id), cx.hosts.get(&id).map_or(0, |host| host.life));
            let log_start = start;
            let watermark = Watermark { partition, leader, epoch, log_start, high_watermark, log_end };
            cx.history.watermarks.push(watermark);
        }
    }
}
