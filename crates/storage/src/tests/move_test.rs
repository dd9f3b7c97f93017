//! A log moves to another directory while it takes appends; and power loss, or the death of the process, at any write, sync,
//! rename or removal in the meantime: all that was synced is in exactly one current log.

use std::collections::BTreeMap;

use ottla_env::{Disk, Rng, SeededRng};

use super::*;
use crate::{CopyError, FutureLog, NextCopy, ReplaceError, StorageError, find_home};

const A: usize = 0;
const B: usize = 1;

fn open_dirs(disk: &SimDisk) -> Result<(Vec<Arc<LogDir>>, Vec<OpenReport>), crate::OpenError> {
    let open = |(path, id): (&str, u8)| {
        let options = LogDirOptions { new_directory_id: Uuid([id; 16]), ..options() };
        LogDir::open(Arc::new(disk.clone()), Path::new(path), &options)
    };
    let opened = [("/a", 1), ("/b", 2)].into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let (dirs, reports): (Vec<_>, Vec<_>) = opened.into_iter().unzip();
    Ok((dirs.into_iter().map(Arc::new).collect(), reports))
}

fn two_dirs(disk: &SimDisk) -> Vec<Arc<LogDir>> {
    open_dirs(disk).unwrap().0
}

/// Copies what there is; false if the copy is of no use any more.
fn catch_up(current: &mut Log, future: &mut FutureLog) -> Result<bool, StorageError> {
    loop {
        match future.next(current, 700, NOW) {
            Ok(NextCopy::CaughtUp) => return Ok(true),
            Ok(NextCopy::Batches(read)) => match future.append(&read, NOW) {
                Ok(_) => {}
                Err(CopyError::Write(error)) => return Err(error),
                Err(error) => panic!("{error}"),
            },
            Err(CopyError::Outdated) => return Ok(false),
            Err(CopyError::Write(error) | CopyError::Read(crate::ReadError::Storage(error))) => {
                return Err(error);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn moved(from: &LogDir, to: &LogDir, current: &mut Log) -> Log {
    let mut future = to.create_future_log(current.partition(), &small()).unwrap();
    assert!(catch_up(current, &mut future).unwrap());
    to.replace_current_with_future(from, current, future).unwrap()
}

fn folders(disk: &SimDisk, dir: &str) -> Vec<String> {
    disk.list(Path::new(dir)).unwrap().into_iter().filter(|e| e.is_dir).map(|e| e.name).collect()
}

#[test]
fn a_moved_log_has_records_start_epochs_producers_and_high_watermark() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    for i in 0..20 {
        let batch = from_producer(7, 0, 3 * i, &["some", "values", &"x".repeat(300)]);
        log.append_as_leader(batch, &how(i / 5)).unwrap();
    }
    // An epoch without records, and a start in the middle of a batch.
    log.start_leader_epoch(LeaderEpoch(9));
    log.delete_records_before(Offset(31)).unwrap();
    log.record_high_watermark(Offset(57));
    let expected = values(&mut log, 31);
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    let check = |log: &mut Log| {
        assert_eq!((log.log_start_offset(), log.log_end_offset()), (Offset(31), Offset(60)));
        assert_eq!(log.flushed_offset(), Offset(60));
        assert_eq!(log.checkpointed_high_watermark(), Some(Offset(57)));
        assert_eq!(log.end_offset_for_epoch(LeaderEpoch(2)), Some((LeaderEpoch(2), Offset(45))));
        assert_eq!(values(log, 31), expected);
        let again = log.append_as_leader(from_producer(7, 0, 57, &["some", "values", "x"]), &how(9)).unwrap();
        assert!(again.duplicate, "the producer is known");
    };
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(9)));
    check(&mut log);
    assert_eq!((folders(&disk, "/b"), dirs[A].partition_count()), (vec!["t-0".to_owned()], 0));
    drop((log, dirs));
    disk.crash();
    let dirs = two_dirs(&disk);
    assert_eq!(find_home(&dirs, &partition("t"), None).unwrap(), Some(B));
    check(&mut dirs[B].open_log(&partition("t"), small(), NOW).unwrap());
    dirs[A].run_deletions(10).unwrap();
    assert_eq!(folders(&disk, "/a"), Vec::<String>::new());
}

#[test]
fn a_log_without_files_moves_without_files() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    log.start_leader_epoch(LeaderEpoch(3));
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    assert_eq!((folders(&disk, "/a").len(), folders(&disk, "/b").len()), (0, 0));
    assert_eq!((dirs[A].partition_count(), dirs[B].partition_count()), (0, 1));
    assert_eq!(log.latest_epoch(), Some(LeaderEpoch(3)));
    log.append_as_leader(batch(&["v"]), &how(3)).unwrap();
    log.flush().unwrap();
    assert_eq!(folders(&disk, "/b"), ["t-0"]);
}

#[test]
fn a_log_that_lost_its_only_records_moves_all_the_same() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    append(&mut log, batch(&["a"])).unwrap();
    log.truncate_to(Offset(0), NOW).unwrap();
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    append(&mut log, batch(&["b"])).unwrap();
    log.flush().unwrap();
    drop((log, dirs));
    disk.crash();
    let dirs = two_dirs(&disk);
    assert_eq!(find_home(&dirs, &partition("t"), None).unwrap(), Some(B));
    let mut log = dirs[B].open_log(&partition("t"), small(), NOW).unwrap();
    assert_eq!(values(&mut log, 0), [(0, "b".to_owned())]);
}

#[test]
fn a_copy_of_a_log_that_was_cut_is_of_no_use() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    for value in ["a", "b", "c"] {
        append(&mut log, batch(&[value])).unwrap();
    }
    let mut future = dirs[B].create_future_log(&partition("t"), &small()).unwrap();
    assert!(catch_up(&mut log, &mut future).unwrap());
    log.truncate_to(Offset(1), NOW).unwrap();
    append(&mut log, batch(&["other"])).unwrap();
    assert!(!catch_up(&mut log, &mut future).unwrap());
    dirs[B].remove_future_log(future).unwrap();
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    assert_eq!(values(&mut log, 0), [(0, "a".to_owned()), (1, "other".to_owned())]);
}

#[test]
fn a_flush_that_began_before_the_move_says_nothing_of_the_moved_log() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    append(&mut log, batch(&["a"])).unwrap();
    let running = log.begin_flush().unwrap();
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    append(&mut log, batch(&["b"])).unwrap();
    assert_eq!(log.complete_flush(running.run()).unwrap(), Offset(1));
    assert_eq!(log.flush().unwrap(), Offset(2));
    drop((log, dirs));
    disk.crash();
    let dirs = two_dirs(&disk);
    assert_eq!(find_home(&dirs, &partition("t"), None).unwrap(), Some(B));
    let mut log = dirs[B].open_log(&partition("t"), small(), NOW).unwrap();
    assert_eq!(values(&mut log, 0).len(), 2);
}

#[test]
fn a_full_disk_leaves_the_log_where_it_is() {
    let disk = SimDisk::new(1);
    let dirs = two_dirs(&disk);
    let mut log = dirs[A].create_log(&partition("t"), small()).unwrap();
    append(&mut log, batch(&["a"])).unwrap();
    log.flush().unwrap();
    for after in 0..6 {
        let mut future = dirs[B].create_future_log(&partition("t"), &small()).unwrap();
        let fault = ottla_simdisk::Fault::no_space(ottla_simdisk::Op::Write).on("/b").after(after);
        disk.inject(fault);
        if catch_up(&mut log, &mut future).is_ok() {
            match dirs[B].replace_current_with_future(&dirs[A], &mut log, future) {
                Err(ReplaceError::Unchanged(future, _)) => dirs[B].remove_future_log(*future).unwrap(),
                Err(error) => panic!("{error}"),
                Ok(_) => panic!("write {after} of a move is no write"),
            }
        } else {
            dirs[B].remove_future_log(future).unwrap();
        }
        disk.heal();
        append(&mut log, batch(&["more"])).unwrap();
        log.flush().unwrap();
    }
    let mut log = moved(&dirs[A], &dirs[B], &mut log);
    assert_eq!(values(&mut log, 0).len(), 7);
}

/// What the log must have: offset → value; and up to where it was synced, or written by a process that died alone.
#[derive(Debug, Default)]
struct Model {
    records: BTreeMap<i64, String>,
    synced: i64,
    written: i64,
}

struct Run {
    rng: SeededRng,
    disk: SimDisk,
    model: Model,
    /// Where the cluster's metadata says that it is.
    assigned: usize,
    moves: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let (rng, disk) = (SeededRng::new(seed ^ 0x5eed), SimDisk::new(seed));
        Self { rng, disk, model: Model::default(), assigned: A, moves: 0 }
    }

    /// Opens, checks, appends and moves until the power goes.
    fn cycle(&mut self, crash_at: u64) {
        let (dirs, reports) = loop {
            match open_dirs(&self.disk) {
                Ok(opened) => break opened,
                Err(error) => assert!(self.disk.is_off(), "{error}"),
            }
        };
        let id = partition("t");
        let assigned = Some(dirs[self.assigned].directory_id());
        let home = find_home(&dirs, &id, assigned).unwrap().unwrap_or(self.assigned);
        let damaged = reports[home].partitions.iter().find(|found| found.partition == id);
        assert!(damaged.is_none_or(|found| found.damaged.is_none()), "{damaged:?}");
        let mut log = dirs[home].open_or_create_log(&id, small(), NOW).unwrap();
        self.check(&mut log);
        assert_eq!(dirs.iter().filter(|dir| dir.holds(&id)).count(), 1);
        self.disk.crash_at(crash_at);
        let _ = self.work(&dirs, home, log);
    }

    fn check(&mut self, log: &mut Log) {
        let (start, end) = (log.log_start_offset().0, log.log_end_offset().0);
        assert!(end >= self.model.synced, "ends at {end}, synced up to {}", self.model.synced);
        let found = values(log, start);
        for (offset, value) in &found {
            assert_eq!(self.model.records.get(offset), Some(value), "offset {offset}");
        }
        let expected = self.model.records.range(start..end).count();
        assert_eq!(found.len(), expected, "from {start} to {end}");
        // What is not there was never synced.
        self.model.records.split_off(&end);
        (self.model.synced, self.model.written) = (log.flushed_offset().0, end);
    }

    fn append(&mut self, log: &mut Log) -> Result<(), StorageError> {
        let end = log.log_end_offset().0;
        let value = format!("{end} {}", "v".repeat(self.rng.below(300) as usize));
        // It may be there even if nobody is told so.
        self.model.records.insert(end, value.clone());
        match append(log, batch(&[&value])) {
            Ok(_) => {
                self.model.written = end + 1;
                Ok(())
            }
            Err(AppendError::Storage(error)) => Err(error),
            Err(error) => panic!("{error}"),
        }
    }

    fn sync(&mut self, log: &mut Log) -> Result<(), StorageError> {
        self.model.synced = log.flush()?.0;
        Ok(())
    }

    fn work(&mut self, dirs: &[Arc<LogDir>], mut home: usize, mut log: Log) -> Result<(), StorageError> {
        loop {
            for _ in 0..self.rng.below(6) {
                self.append(&mut log)?;
            }
            if self.rng.below(2) == 0 {
                self.sync(&mut log)?;
            }
            if self.rng.below(4) == 0 {
                let end = log.flushed_offset().0;
                log.delete_records_before(Offset(end / 2))?;
            }
            if log.is_materialised() {
                log = self.move_log(dirs, &mut home, log)?;
            }
            for dir in dirs {
                dir.write_checkpoints()?;
                dir.run_deletions(self.rng.below(4) as usize)?;
            }
        }
    }

    fn move_log(
        &mut self,
        dirs: &[Arc<LogDir>],
        home: &mut usize,
        mut log: Log,
    ) -> Result<Log, StorageError> {
        let to = 1 - *home;
        let mut future = dirs[to].create_future_log(log.partition(), &small())?;
        while self.rng.below(3) > 0 {
            catch_up(&mut log, &mut future)?;
            self.append(&mut log)?;
            if self.rng.below(2) == 0 {
                future.flush()?;
            }
        }
        if self.rng.below(4) == 0 {
            dirs[to].remove_future_log(future)?;
            return Ok(log);
        }
        self.assigned = to;
        if self.rng.below(2) == 0 {
            self.append(&mut log)?;
        }
        assert!(catch_up(&mut log, &mut future)?);
        match dirs[to].replace_current_with_future(&dirs[*home], &mut log, future) {
            Ok(moved) => {
                *home = to;
                self.moves += 1;
                self.model.synced = moved.flushed_offset().0;
                Ok(moved)
            }
            Err(ReplaceError::Unchanged(_, error) | ReplaceError::InDoubt(error)) => Err(error),
        }
    }
}

#[test]
fn synced_records_survive_in_exactly_one_log_wherever_a_move_is_cut_off() {
    let runs = from_env("OTTLA_CRASHES").unwrap_or(1500);
    let mut moves = 0;
    for seed in 0..runs {
        let mut run = Run::new(seed);
        for cycle in 0..4 {
            let crash_at = 1 + (seed + cycle * 37) % 120;
            run.cycle(crash_at);
            if run.rng.below(3) == 0 {
                run.model.synced = run.model.synced.max(run.model.written);
                run.disk.restart_process();
            } else {
                run.disk.restart();
            }
        }
        run.cycle(1_000);
        moves += run.moves;
    }
    assert!(moves > usize::try_from(runs).unwrap(), "only {moves} moves");
}
