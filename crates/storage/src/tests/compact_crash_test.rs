//! Power loss, or death of the process alone, at any step of a compaction: of each key the last flushed record is there, at its
//! offset, and nothing is there that was not written. `OTTLA_CRASHES` and `OTTLA_SEED` as in the other crash test.

use std::collections::BTreeMap;

use ottla_env::{Rng, SeededRng};
use ottla_simdisk::{Fault, Op};

use super::compact_test::{compacted, keyed, records};
use super::*;
use crate::{CompactError, OffsetMap, StorageError};

const KEYS: u64 = 7;
const RETENTION_MS: i64 = 300;

#[derive(Debug, Default)]
struct Model {
    /// Offset → key, value, when it was written.
    written: BTreeMap<i64, (String, Option<String>, i64)>,
    end: i64,
    /// The end after the last append or cut that succeeded.
    written_end: i64,
    flushed: i64,
    start: i64,
    /// A cut was under way: what lies from here on may be gone.
    cut_from: Option<i64>,
    /// Rounds went up to here at most.
    cleaned: i64,
    /// A record that replaced others below was cut: these may be gone. (Not so in a cluster, where nothing below the high
    /// watermark is cut.)
    replaced: BTreeMap<String, i64>,
}

struct Run {
    rng: SeededRng,
    disk: SimDisk,
    dir: Option<LogDir>,
    log: Option<Log>,
    model: Model,
    now: i64,
    trace: Vec<String>,
    swaps: u64,
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 700,
        index_interval_bytes: 100,
        snapshot_interval_bytes: 900,
        mark_interval_bytes: Some(700),
        delete_retention_ms: RETENTION_MS,
        ..compacted()
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut run = Self {
            rng: SeededRng::new(seed ^ 0x5eed),
            disk: SimDisk::new(seed),
            dir: None,
            log: None,
            model: Model::default(),
            now: NOW,
            trace: Vec::new(),
            swaps: 0,
        };
        run.open();
        run
    }

    fn run(&mut self, cycles: u64) {
        for _ in 0..cycles {
            let n = 1 + self.rng.below(160);
            self.disk.crash_at(n);
            let after = self.rng.below(40);
            let fault = self.rng.below(8);
            match fault {
                0 => self.disk.inject(Fault::io(Op::SyncData).after(after)),
                1 => self.disk.inject(Fault::no_space(Op::Write).after(after).times(2)),
                2 => self.disk.inject(Fault::no_space(Op::Write).on(".cleaned").after(after / 8).times(3)),
                _ => {}
            }
            for _ in 0..80 {
                match self.step() {
                    Err(StorageError::Full { .. }) => {}
                    Err(_) => break,
                    Ok(()) => {}
                }
            }
            let only_process = fault != 0 && self.rng.below(3) == 0;
            self.trace.push(format!("crash {}, of the process alone: {only_process}", self.disk.is_off()));
            (self.log, self.dir) = (None, None);
            self.disk.heal();
            if only_process && self.model.cut_from.is_none() {
                self.model.flushed = self.model.flushed.max(self.model.written_end);
            }
            self.restart(only_process);
            if self.rng.below(2) == 0 {
                // Opening loses power too.
                let n = 1 + self.rng.below(12);
                self.disk.crash_at(n);
                if let Ok((dir, _)) =
                    LogDir::open(Arc::new(self.disk.clone()), Path::new("/data"), &options())
                {
                    let log = dir.open_log(&partition("t"), config(), self.now);
                    let _ = log.map(|mut log| log.flush());
                }
                self.restart(only_process);
            }
            self.open();
            self.check();
        }
    }

    fn restart(&mut self, only_process: bool) {
        if only_process { self.disk.restart_process() } else { self.disk.restart() }
    }

    fn open(&mut self) {
        let (dir, report) = open_dir(&self.disk);
        report.partitions.iter().for_each(|found| assert_eq!(found.damaged, None));
        let log = if report.partitions.is_empty() {
            assert_eq!(self.model.flushed, 0);
            dir.create_log(&partition("t"), config()).unwrap()
        } else {
            dir.open_log(&partition("t"), config(), self.now).unwrap()
        };
        (self.dir, self.log) = (Some(dir), Some(log));
    }

    fn check(&mut self) {
        let log = self.log.as_mut().unwrap();
        let model = &mut self.model;
        let (start, end) = (log.log_start_offset().0, log.log_end_offset().0);
        let sure = model.cut_from.map_or(model.flushed, |cut| cut.min(model.flushed));
        assert!(end >= sure && end <= model.end.max(model.written_end), "{end} {model:?}");
        assert!(start <= model.start, "{start} {model:?}");
        let found = records(log);
        for (offset, key, value) in &found {
            let (k, v, _) = model.written.get(offset).unwrap_or_else(|| panic!("{offset} was not written"));
            assert_eq!((k, v), (key, value), "at {offset}");
        }
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for (offset, (key, ..)) in model.written.range(..end) {
            last.insert(key, *offset);
        }
        for (key, offset) in last {
            let (_, value, time) = &model.written[&offset];
            let may_go = value.is_none() && self.now - time >= RETENTION_MS
                || model.replaced.get(key).is_some_and(|cut| offset < *cut);
            let is_there = found.iter().any(|(at, ..)| *at == offset);
            assert!(is_there || may_go || offset < model.start, "{key} at {offset} is gone: {found:?}");
        }
        model.written.split_off(&end);
        (model.end, model.written_end, model.cut_from) = (end, end, None);
        // A start may have brought back what was not flushed; nothing is promised of it.
        model.flushed = log.flush().unwrap().0;
        model.start = start;
    }

    fn step(&mut self) -> Result<(), StorageError> {
        self.now += 10;
        let log = self.log.as_mut().unwrap();
        match self.rng.below(100) {
            0..45 => return self.append(),
            45..55 => self.model.flushed = log.flush()?.0,
            55..58 => {
                seal(log)?;
                self.model.flushed = log.flushed_offset().0;
            }
            58..63 => self.dir.as_ref().unwrap().write_checkpoints()?,
            63..68 => drop(self.dir.as_ref().unwrap().run_deletions(3)?),
            68..72 => return self.truncate(),
            72..74 => {
                let to = self.model.start + self.rng.below(5) as i64;
                let to = to.min(self.model.flushed).max(self.model.start);
                self.model.start = log.delete_records_before(Offset(to))?.0;
                self.trace.push(format!("delete records before {to}: {}", self.model.start));
                log.apply_retention(self.now, Offset(self.model.flushed))?;
            }
            _ => return self.compact(),
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), StorageError> {
        let count = 1 + self.rng.below(4) as i64;
        let base = self.model.end;
        let records: Vec<(String, Option<String>)> = (base..base + count)
            .map(|offset| {
                let value = (self.rng.below(4) > 0).then(|| format!("{offset}{}", "x".repeat(20)));
                (format!("k{}", self.rng.below(KEYS)), value)
            })
            .collect();
        for (offset, (key, value)) in (base..).zip(&records) {
            self.model.written.insert(offset, (key.clone(), value.clone(), self.now));
        }
        self.model.end = base + count;
        let refs: Vec<_> = records.iter().map(|(k, v)| (k.as_str(), v.as_deref())).collect();
        let how = LeaderAppend { now_ms: self.now, ..how(0) };
        match self.log.as_mut().unwrap().append_as_leader(keyed(&refs), &how) {
            Ok(info) => {
                assert_eq!(info.base_offset.0, base);
                self.model.written_end = self.model.end;
                self.trace.push(format!("append {base}+{count}"));
                Ok(())
            }
            Err(AppendError::Storage(e)) => {
                if matches!(e, StorageError::Full { .. }) {
                    self.model.written.split_off(&base);
                    self.model.end = base;
                }
                Err(e)
            }
            Err(e) => panic!("{e}"),
        }
    }

    fn truncate(&mut self) -> Result<(), StorageError> {
        let to = self.model.end - self.rng.below(6) as i64;
        let to = to.max(self.model.start);
        // Where compaction was, the batch before may end anywhere below.
        self.model.cut_from = Some(if to - 4 < self.model.cleaned { 0 } else { to - 4 });
        for (_, (key, ..)) in self.model.written.range(to - 4..self.model.cleaned.max(to - 4)) {
            self.model.replaced.insert(key.clone(), self.model.cleaned);
        }
        let log = self.log.as_mut().unwrap();
        log.truncate_to(Offset(to), self.now)?;
        let end = log.log_end_offset().0;
        self.trace.push(format!("truncate to {to}: {end}"));
        self.model.cut_from = None;
        self.model.written.split_off(&end);
        (self.model.end, self.model.written_end) = (end, end);
        self.model.flushed = log.flushed_offset().0;
        self.model.start = self.model.start.min(log.log_start_offset().0);
        Ok(())
    }

    /// A round, and between its steps what else happens to a log.
    fn compact(&mut self) -> Result<(), StorageError> {
        let high_watermark = Offset(self.model.flushed);
        let round = self.log.as_mut().unwrap().begin_compaction(self.now, high_watermark)?;
        let Some(mut round) = round else { return Ok(()) };
        self.model.cleaned = self.model.cleaned.max(high_watermark.0);
        self.trace.push(format!("compact from {}", round.first_dirty()));
        let (map, pace) = (&mut OffsetMap::new(0, 0.9, [1; 16]), &mut |_| true);
        let stopped = |e| match e {
            CompactError::Stopped => Ok(()),
            CompactError::Storage(e) => Err(e),
        };
        if let Err(e) = round.read_keys(map, pace) {
            return stopped(e);
        }
        self.meanwhile()?;
        loop {
            let cleaned = match round.clean_next(map, pace) {
                Ok(Some(cleaned)) => cleaned,
                Ok(None) => break,
                Err(e) => return stopped(e),
            };
            self.meanwhile()?;
            let Some(swap) = self.log.as_mut().unwrap().swap_in(cleaned) else { return Ok(()) };
            self.swaps += 1;
            self.trace.push("swap".to_owned());
            self.meanwhile()?;
            swap.run()?;
            self.meanwhile()?;
            self.log.as_mut().unwrap().complete_swap(&swap)?;
            self.meanwhile()?;
        }
        self.log.as_mut().unwrap().complete_compaction(round);
        Ok(())
    }

    fn meanwhile(&mut self) -> Result<(), StorageError> {
        match self.rng.below(24) {
            0 | 1 => self.append(),
            2 => {
                self.model.flushed = self.log.as_mut().unwrap().flush()?.0;
                Ok(())
            }
            3 => self.truncate(),
            4 => self.dir.as_ref().unwrap().write_checkpoints(),
            5 => self.dir.as_ref().unwrap().run_deletions(3).map(|_| ()),
            _ => Ok(()),
        }
    }
}

fn seal(log: &mut Log) -> Result<(), StorageError> {
    log.flush()?;
    if log.segments().count() > 0 {
        log.roll(NOW)?;
    }
    log.flush().map(|_| ())
}

#[test]
fn the_last_record_of_each_key_survives_power_loss_during_compaction() {
    let runs = from_env("OTTLA_CRASHES").unwrap_or(1500);
    let first = from_env("OTTLA_SEED");
    let seeds = first.map_or(0..runs, |seed: u64| seed..seed + 1);
    let (mut swaps, is_whole) = (0, first.is_none());
    for seed in seeds {
        let mut run = Run::new(seed);
        run_history(seed, &mut run, |run| &run.trace, |run| run.run(4));
        swaps += run.swaps;
    }
    assert!(!is_whole || swaps > runs, "{swaps} swaps");
}
