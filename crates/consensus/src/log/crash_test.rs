//! The power goes at each write and each sync of a random history. What was completed is there afterwards, and
//! what is there is the history up to some change, nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ottla_env::{Rng, SeededRng};
use ottla_simdisk::SimDisk;

use super::log_test::{entry, options, sim_disk};
use super::writer::Writer;
use super::{Ballot, LogEntry, LogOptions, Position, RaftLog};

fn with_room() -> LogOptions {
    LogOptions { room_bytes: 400, ..options(1500) }
}

/// What a log should hold.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    ballot: Option<Ballot>,
    purged: Option<Position>,
    entries: BTreeMap<u64, LogEntry>,
}

impl Model {
    fn last(&self) -> Option<Position> {
        self.entries.last_key_value().map(|(_, entry)| entry.position).or(self.purged)
    }

    fn next_index(&self) -> u64 {
        self.last().map_or(0, |last| last.index + 1)
    }

    fn of(log: &RaftLog) -> Self {
        let state = log.state();
        let entries = log.reader().read(0, u64::MAX, usize::MAX).unwrap();
        let model = Self {
            ballot: state.ballot,
            purged: state.purged,
            entries: entries.into_iter().map(|entry| (entry.position.index, entry)).collect(),
        };
        assert_eq!(model.last(), state.last);
        assert!(state.committed <= state.last);
        model
    }
}

/// A log, driven step by step on this thread, and all that it should have been so far.
struct Run {
    disk: SimDisk,
    log: RaftLog,
    writer: Writer,
    rng: SeededRng,
    epoch: u64,
    /// After each change; the first one is what was recovered.
    history: Vec<Model>,
    /// How many changes were reported as being on disk.
    completed: Arc<AtomicUsize>,
}

impl Run {
    fn open(disk: &SimDisk, seed: u64) -> Option<Self> {
        let (log, writer) = RaftLog::open_without_thread(Arc::new(disk.clone()), with_room()).ok()?;
        let history = vec![Model::of(&log)];
        let epoch = log.state().last.map_or(1, |last| last.epoch + 1);
        let completed = Arc::new(AtomicUsize::new(0));
        Some(Self { disk: disk.clone(), log, writer, rng: SeededRng::new(seed), epoch, history, completed })
    }

    /// Makes some changes, sometimes several in one batch. Ends early when the disk fails.
    fn work(&mut self, batches: u64) {
        for _ in 0..batches {
            for _ in 0..=self.rng.below(3) {
                self.change();
            }
            if !self.writer.step() || self.disk.is_off() {
                return;
            }
        }
    }

    fn change(&mut self) {
        let mut model = self.history.last().unwrap().clone();
        let number = self.history.len();
        let completed = Arc::clone(&self.completed);
        let done = Box::new(move |result: std::io::Result<()>| {
            if result.is_ok() {
                assert_eq!(completed.swap(number, Ordering::SeqCst), number - 1, "completed out of order");
            }
        });
        let next = model.next_index();
        match self.rng.below(10) {
            0..=5 => {
                let entries: Vec<_> =
                    (next..=next + self.rng.below(4)).map(|index| entry(self.epoch, index)).collect();
                model.entries.extend(entries.iter().map(|entry| (entry.position.index, entry.clone())));
                self.log.append(entries, done);
            }
            6 | 7 => {
                self.epoch += 1;
                let ballot =
                    Ballot { epoch: self.epoch, node: self.rng.below(3), committed: self.rng.below(2) == 0 };
                model.ballot = Some(ballot);
                self.log.save_ballot(ballot, done);
            }
            8 => {
                let keep = model.entries.keys().nth(self.rng.below(8) as usize).copied();
                let last = keep.map(|index| model.entries[&index].position).or_else(|| model.last());
                model.entries.retain(|&index, _| last.is_some_and(|last| index <= last.index));
                self.log.truncate_after(last, done);
            }
            _ => {
                let upto =
                    model.entries.values().nth(self.rng.below(20) as usize).map(|entry| entry.position);
                let upto = upto.or_else(|| model.last()).unwrap_or(Position { epoch: 1, index: 3 });
                model.entries.retain(|&index, _| index > upto.index);
                model.purged = Some(upto);
                self.log.save_committed(Some(upto));
                self.log.purge(upto, done);
            }
        }
        assert_eq!(Model::of(&self.log), model);
        self.history.push(model);
    }

    /// Stops as a killed process does; the completed changes and those that may be there.
    fn kill(self) -> Vec<Model> {
        let completed = self.completed.load(Ordering::SeqCst);
        self.history[completed..].to_vec()
    }
}

fn expect_one_of(disk: &SimDisk, allowed: &[Model], what: &str) -> Model {
    match RaftLog::open_without_thread(Arc::new(disk.clone()), with_room()) {
        Err(error) => panic!("{what}: {error}"),
        Ok((log, _)) => {
            let found = Model::of(&log);
            assert!(allowed.contains(&found), "{what}: found {found:#?}\nallowed {allowed:#?}");
            found
        }
    }
}

#[test]
fn power_loss_at_each_write_and_sync() {
    let mut crashes = 0;
    for seed in 0..12 {
        let total = {
            let disk = sim_disk(seed);
            let mut run = Run::open(&disk, seed).unwrap();
            run.work(25);
            disk.mutations()
        };
        for n in 1..=total {
            let disk = sim_disk(seed);
            disk.crash_at(n);
            let mut run = Run::open(&disk, seed).unwrap();
            run.work(25);
            let allowed = run.kill();
            disk.restart();
            let what = format!("seed {seed}, crash at {n}");

            // The power goes again while recovering, wherever that writes.
            let copy = disk.fork(n);
            for m in 1..=4 {
                copy.crash_at(m);
                drop(RaftLog::open_without_thread(Arc::new(copy.clone()), with_room()));
                copy.restart();
            }
            expect_one_of(&copy, &allowed, &format!("{what}, then while recovering"));

            // Work goes on, and the power goes a second time.
            expect_one_of(&disk, &allowed, &what);
            let mut run = Run::open(&disk, seed + 1000).unwrap();
            disk.crash_at(1 + n % 17);
            run.work(10);
            let allowed = run.kill();
            disk.crash();
            expect_one_of(&disk, &allowed, &format!("{what}, then a second time"));
            crashes += 1;
        }
    }
    assert!(crashes > 500, "only {crashes} crashes");
}

#[test]
fn a_killed_process_loses_nothing_that_it_wrote() {
    for seed in 0..20 {
        let disk = sim_disk(seed);
        for round in 0..5 {
            let mut run = Run::open(&disk, seed * 10 + round).unwrap();
            run.work(20);
            let all = run.history.last().unwrap().clone();
            drop(run);
            expect_one_of(&disk, &[all], &format!("seed {seed}, round {round}"));
        }
    }
}
