//! Operations that replace history: until they return, both may be found.

use super::*;

impl Run {
    pub(super) fn truncate(&mut self) -> Result<(), StorageError> {
        let span = (self.model.end - self.model.start).max(0) as u64;
        let to = Offset(self.model.end - self.rng.below(span.min(12) + 1) as i64);
        let before = self.model.clone();
        let cuts = to.0 < before.end;
        self.trace.push(format!("truncate {to}"));
        // Until it returns, both histories may be found.
        self.model.flushed = self.model.flushed.min(self.model.start.max(to.0 - 4));
        self.model.written_end = self.model.flushed;
        self.instead = Some(before);
        let log = self.log.as_mut().unwrap();
        let done = log.truncate_to(to, self.now);
        let model = &mut self.model;
        if done.is_err() {
            model.flushed = model.start.min(model.flushed);
            let instead = self.instead.as_mut().unwrap();
            instead.flushed = instead.start;
            return done;
        }
        self.instead = None;
        let end = log.log_end_offset().0;
        assert!(end <= to.0 && end > to.0 - 4, "{end} {to}");
        (model.end, model.written_end) = (end, end);
        model.flushed = log.flushed_offset().0;
        model.records.split_off(&end);
        if let Some((last, (_, epoch, _))) = model.records.last_key_value()
            && cuts
            && *last == end - 1
            && *epoch >= 0
        {
            assert!(log.latest_epoch() <= Some(LeaderEpoch(*epoch)), "no epoch begins where nothing is");
        }
        // As after a leader change.
        model.epoch += 1;
        log.start_leader_epoch(LeaderEpoch(model.epoch));
        model.restart_producer();
        Ok(())
    }

    pub(super) fn truncate_fully(&mut self) -> Result<(), StorageError> {
        let to = self.model.end + self.rng.below(20) as i64;
        self.trace.push(format!("truncate fully {to}"));
        let mut before = self.model.clone();
        before.flushed = before.start;
        let fresh = Model {
            start: to,
            end: to,
            written_end: to,
            flushed: to,
            records: BTreeMap::new(),
            last_batch: None,
            ..self.model.clone()
        };
        let log = self.log.as_mut().unwrap();
        if let Err(e) = log.truncate_fully_and_start_at(Offset(to), self.now) {
            self.model = fresh;
            // Part of the old history, from any start.
            self.instead = Some(Model { start: self.model.end, ..before });
            self.model.flushed = 0;
            return Err(e);
        }
        self.model = fresh;
        self.model.epoch += 1;
        log.start_leader_epoch(LeaderEpoch(self.model.epoch));
        self.model.restart_producer();
        Ok(())
    }
}
