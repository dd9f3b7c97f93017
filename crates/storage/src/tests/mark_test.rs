//! Facts about marks: what a start checks after the death of the process, and after that of the machine.

use ottla_env::{Disk, OpenOptions};

use super::*;
use crate::StorageError;

const BATCHES: i64 = 400;

/// A log that marks each thousand bytes, of [`BATCHES`] records of 100 bytes of which only the first was synced.
fn unsynced() -> (SimDisk, Log) {
    let config = LogConfig { mark_interval_bytes: Some(1000), segment_bytes: 1 << 20, ..small() };
    let (disk, _, mut log) = new_log(config);
    for i in 0..BATCHES {
        append(&mut log, value(i)).unwrap();
        if i == 0 {
            log.flush().unwrap();
        }
    }
    (disk, log)
}

fn value(i: i64) -> Bytes {
    from_producer(7, 0, i32::try_from(i).unwrap(), &[&format!("{i} {}", "x".repeat(100))])
}

fn reopen(disk: &SimDisk) -> Log {
    let (dir, _) = open_dir(disk);
    dir.open_or_create_log(&partition("t"), LogConfig { mark_interval_bytes: Some(1000), ..small() }, NOW)
        .unwrap()
}

fn marks(disk: &SimDisk) -> Vec<String> {
    let names = disk.list(Path::new("/data/t-0")).unwrap().into_iter().map(|entry| entry.name);
    names.filter(|name| name.ends_with(".written")).collect()
}

/// What opening reads, bytes.
fn opening_reads(disk: &SimDisk) -> u64 {
    let before = disk.counters().bytes_read;
    drop(reopen(disk));
    disk.counters().bytes_read - before
}

#[test]
fn the_last_mark_is_the_only_one() {
    let (disk, log) = unsynced();
    assert_eq!(marks(&disk).len(), 1);
    assert!(log.flushed_offset() < log.log_end_offset());
}

#[test]
fn after_the_death_of_the_process_only_what_follows_the_mark_is_read() {
    let (disk, log) = unsynced();
    let size = log.size();
    drop(log);
    disk.restart_process();
    assert!(opening_reads(&disk) < size / 4, "{} of {size}", opening_reads(&disk));
    disk.restart_process();
    let mut log = reopen(&disk);
    assert_eq!(values(&mut log, 0).len() as i64, BATCHES);
    assert_eq!(log.epoch_at(Offset(3)), Some(LeaderEpoch(0)));
    let again = append(&mut log, value(BATCHES - 1)).unwrap();
    assert!(again.duplicate);
    assert!(log.flushed_offset() <= Offset(1), "it is not taken for synced");
    log.flush().unwrap();
    disk.crash();
    assert_eq!(values(&mut reopen(&disk), 0).len() as i64, BATCHES);
}

#[test]
fn after_power_loss_a_mark_counts_for_nothing() {
    for seed in 0..50 {
        let (disk, log) = unsynced();
        let size = log.size();
        drop(log);
        let disk = disk.fork(seed);
        disk.crash();
        let was_marked = !marks(&disk).is_empty();
        let read = opening_reads(&disk);
        assert!(marks(&disk).is_empty());
        disk.restart_process();
        // Each value read is checked.
        let left = values(&mut reopen(&disk), 0).len() as i64;
        assert!(!was_marked || left < BATCHES || read >= size, "{left} left, {read} of {size} read");
    }
}

#[test]
fn a_log_that_is_shorter_than_its_mark_says_is_checked_from_where_it_was_synced() {
    let (disk, log) = unsynced();
    let half = log.size() / 2;
    drop(log);
    disk.restart_process();
    let path = Path::new("/data/t-0/00000000000000000000.log");
    disk.open(path, OpenOptions::WRITE).unwrap().set_len(half).unwrap();
    let mut log = reopen(&disk);
    let left = values(&mut log, 0).len() as i64;
    assert!(left > BATCHES / 3 && left <= BATCHES / 2, "{left}");
    assert_eq!(marks(&disk), [""; 0]);
    assert!(!append(&mut log, value(left)).unwrap().duplicate, "its producer is known as of where it ends");
}

#[test]
fn truncation_forgets_marks_beyond_it() {
    let (disk, mut log) = unsynced();
    log.truncate_to(Offset(20), NOW).unwrap();
    assert_eq!(marks(&disk), [""; 0]);
    for i in 20..24 {
        append(&mut log, value(i)).unwrap();
    }
    drop(log);
    disk.restart_process();
    let mut log = reopen(&disk);
    assert_eq!(values(&mut log, 0).len(), 24);
    assert!(append(&mut log, value(23)).unwrap().duplicate);
}

#[test]
fn a_log_that_was_closed_has_none() {
    let (disk, mut log) = unsynced();
    log.close().unwrap();
    assert_eq!(marks(&disk), [""; 0]);
}

#[test]
fn a_mark_that_cannot_be_written_fails_no_append() {
    let config = LogConfig { mark_interval_bytes: Some(1000), ..small() };
    let (disk, _, mut log) = new_log(config);
    disk.inject(ottla_simdisk::Fault::no_space(ottla_simdisk::Op::Write).on(".written").times(1000));
    for i in 0..BATCHES {
        append(&mut log, value(i)).unwrap();
    }
    drop(log);
    disk.heal();
    disk.restart_process();
    assert_eq!(values(&mut reopen(&disk), 0).len() as i64, BATCHES);
}

/// What `act` does to a log with 20 synced records, the process dying at each of its writes, syncs and renames; then a
/// start, an append and a flush, and the power goes.
fn dies_at_each_step(config: &LogConfig, act: impl Fn(&mut Log) -> Result<(), StorageError>) {
    (0..10).for_each(|seed| dies_at_each_step_of(seed, config, &act));
}

fn dies_at_each_step_of(seed: u64, config: &LogConfig, act: impl Fn(&mut Log) -> Result<(), StorageError>) {
    for n in 1.. {
        let disk = SimDisk::new(seed);
        let (dir, _) = open_dir(&disk);
        let mut log = dir.create_log(&partition("t"), config.clone()).unwrap();
        for i in 0..20 {
            append(&mut log, value(i)).unwrap();
        }
        log.flush().unwrap();
        dir.write_checkpoints().unwrap();
        disk.crash_at(n);
        let done = act(&mut log);
        let reached = disk.is_off();
        assert!(reached || done.is_ok(), "{done:?}");
        drop((log, dir));
        disk.restart_process();
        let (dir, _) = open_dir(&disk);
        let mut log = dir.open_log(&partition("t"), config.clone(), NOW).unwrap();
        let (start, end) = (log.log_start_offset(), log.log_end_offset());
        let before = values(&mut log, start.0);
        log.flush().unwrap();
        let copy = disk.fork(seed);
        copy.crash();
        let (copied, _) = open_dir(&copy);
        let mut copied = copied.open_log(&partition("t"), config.clone(), NOW).unwrap();
        assert_eq!(values(&mut copied, start.0), before, "seed {seed}, step {n}, nothing appended");
        let appended = append(&mut log, batch_at(NOW + 1000, &["after"])).unwrap().base_offset;
        assert_eq!(appended, end);
        log.flush().unwrap();
        drop((log, dir));
        disk.crash();
        let (dir, report) = open_dir(&disk);
        assert!(report.partitions.iter().all(|p| p.damaged.is_none()), "seed {seed}, step {n}: {report:?}");
        let mut log = dir.open_log(&partition("t"), config.clone(), NOW).unwrap();
        let expected: Vec<_> = before.into_iter().chain([(end.0, "after".to_owned())]).collect();
        let from = log.log_start_offset().max(start);
        assert_eq!(values(&mut log, from.0), expected, "seed {seed}, step {n}");
        let by_time = log.offset_for_timestamp(NOW + 1000).unwrap().unwrap();
        assert_eq!(by_time.offset, end, "seed {seed}, step {n}");
        if !reached {
            return;
        }
    }
}

#[test]
fn what_a_process_left_behind_is_as_durable_after_a_flush_as_what_follows() {
    let config = LogConfig { mark_interval_bytes: Some(1000), ..small() };
    dies_at_each_step(&config, |log| {
        for i in 20..80 {
            if let Err(AppendError::Storage(e)) = append(log, value(i)) {
                return Err(e);
            }
        }
        Ok(())
    });
}

#[test]
fn a_cut_that_a_process_did_not_live_to_sync_is_synced_by_the_next() {
    dies_at_each_step(&small(), |log| log.truncate_to(Offset(9), NOW));
}

#[test]
fn a_start_that_a_process_did_not_live_to_sync_is_synced_by_the_next() {
    dies_at_each_step(&small(), |log| log.truncate_fully_and_start_at(Offset(100), NOW));
}

/// A log whose first segment holds five synced records, with a snapshot at their end; and that segment's size.
fn synced_with_snapshot() -> (SimDisk, Log, u64) {
    let (disk, dir, mut log) = new_log(each_flush_is_a_snapshot());
    for i in 0..5 {
        append(&mut log, value(i)).unwrap();
    }
    log.flush().unwrap();
    dir.write_checkpoints().unwrap();
    let size = log.size();
    (disk, log, size)
}

fn each_flush_is_a_snapshot() -> LogConfig {
    LogConfig { snapshot_interval_bytes: 0, preallocate: false, ..small() }
}

fn open_to_roll(disk: &SimDisk) -> (LogDir, Log) {
    let (dir, _) = open_dir(disk);
    let log = dir.open_log(&partition("t"), next_append_rolls(), NOW).unwrap();
    (dir, log)
}

fn next_append_rolls() -> LogConfig {
    LogConfig { segment_bytes: 500, ..each_flush_is_a_snapshot() }
}

/// Six records are there, and nothing between them, whatever power loss leaves.
fn all_six_after_power_loss(disk: &SimDisk) {
    for seed in 0..50 {
        let disk = disk.fork(seed);
        disk.crash();
        let (_dir, mut log) = open_to_roll(&disk);
        assert_eq!(values(&mut log, 0).len(), 6, "seed {seed}");
    }
}

#[test]
fn a_cut_is_synced_even_when_its_segment_was_sealed_by_another_process_that_died() {
    let (disk, log, size) = synced_with_snapshot();
    drop(log);
    // Power loss leaves the length of an append without its bytes; a start cuts that off, and dies before the sync.
    let path = Path::new("/data/t-0/00000000000000000000.log");
    let file = disk.open(path, OpenOptions::WRITE).unwrap();
    file.write_all_at(&[0; 100], size).unwrap();
    file.sync_data().unwrap();
    file.set_len(size).unwrap();
    drop(file);
    disk.restart_process();
    // The next goes on in another segment, and dies before its first flush.
    append(&mut open_to_roll(&disk).1, value(5)).unwrap();
    disk.restart_process();
    let (_dir, mut log) = open_to_roll(&disk);
    log.flush().unwrap();
    all_six_after_power_loss(&disk);
}

#[test]
fn what_is_cut_off_after_a_failed_write_does_not_come_back_in_a_sealed_segment() {
    let (disk, mut log, size) = synced_with_snapshot();
    disk.set_capacity(Some(disk.used_bytes() + 50));
    assert!(append(&mut log, value(5)).is_err());
    assert_eq!(log.size(), size);
    disk.set_capacity(None);
    log.update_config(next_append_rolls());
    append(&mut log, value(5)).unwrap();
    log.flush().unwrap();
    all_six_after_power_loss(&disk);
}

#[test]
fn a_mark_of_another_format_spares_nothing() {
    let (disk, log) = unsynced();
    let (size, end) = (log.size(), log.log_end_offset());
    drop(log);
    let name = marks(&disk).remove(0);
    // The format is the first byte.
    disk.corrupt(&Path::new("/data/t-0").join(name), 0, 2).unwrap();
    disk.restart_process();
    let before = disk.counters().bytes_read;
    let log = reopen(&disk);
    assert!(disk.counters().bytes_read - before > size / 2);
    assert_eq!(log.log_end_offset(), end, "nothing is lost");
}
