//! What is kept, cut and found by time.

use ottla_simdisk::{Fault, Op};
use ottla_types::Offset;

use super::*;

fn filled(config: LogConfig, batches: i64) -> (SimDisk, LogDir, Log) {
    let (disk, dir, mut log) = new_log(config);
    for i in 0..batches {
        append(&mut log, batch_at(NOW + i, &[&format!("value {i:03}")])).unwrap();
    }
    (disk, dir, log)
}

#[test]
fn size_retention_keeps_at_least_what_was_asked() {
    let config = LogConfig { retention_bytes: 5000, retention_ms: -1, ..small() };
    let (disk, dir, mut log) = filled(config, 300);
    let before = log.size();
    let deleted = log.apply_retention(NOW, Offset(300)).unwrap();
    assert!(deleted.segments > 0 && before - deleted.bytes == log.size());
    let oldest = log.segments().next().unwrap();
    assert!(log.size() >= 5000 && log.size() - oldest.size < 5000);
    assert_eq!(log.log_start_offset(), oldest.base_offset);
    assert_eq!(values(&mut log, oldest.base_offset.0).len() as i64, 300 - oldest.base_offset.0);
    assert!(dir.has_deletions());
    while dir.run_deletions(10).unwrap() > 0 {}
    let names = ottla_env::Disk::list(&disk, Path::new("/data/t-0")).unwrap();
    assert_eq!(names.iter().filter(|e| e.name.ends_with(".log")).count(), log.segments().count());
}

#[test]
fn a_deleted_log_with_unsynced_records_is_not_synced_and_the_directory_stays_online() {
    let (_disk, dir, mut log) = filled(small(), 300);
    log.abandon();
    dir.delete_logs(&[log.partition().clone()]).unwrap();
    if let Some(job) = log.begin_flush() {
        let _ = log.complete_flush(job.run());
    }
    assert!(dir.failure().is_none(), "what was deleted is no fault of the device");
}

#[test]
fn retention_after_a_flush_syncs_nothing_itself() {
    let config = LogConfig { retention_bytes: 5000, retention_ms: -1, ..small() };
    let (disk, _dir, mut log) = filled(config, 300);
    assert!(!log.has_expired(NOW, Offset(10)).unwrap(), "nothing beyond the high watermark");
    assert!(log.has_expired(NOW, Offset(300)).unwrap());
    log.flush().unwrap();
    let before = disk.counters();
    assert!(log.apply_retention(NOW, Offset(300)).unwrap().segments > 0);
    let after = disk.counters();
    assert_eq!((after.syncs, after.dir_syncs), (before.syncs, before.dir_syncs));
    assert!(!log.has_expired(NOW, Offset(300)).unwrap());
}

#[test]
fn nothing_beyond_the_high_watermark_is_deleted() {
    let config = LogConfig { retention_ms: 1, ..small() };
    let (_disk, _dir, mut log) = filled(config, 300);
    let second = log.segments().nth(1).unwrap().base_offset;
    log.apply_retention(NOW + 1000, Offset(second.0)).unwrap();
    assert_eq!(log.log_start_offset(), second);
}

#[test]
fn time_retention_may_empty_the_log() {
    let config = LogConfig { retention_ms: 100, ..small() };
    let (_disk, _dir, mut log) = filled(config, 300);
    assert_eq!(log.apply_retention(NOW + 50, Offset(300)).unwrap().segments, 0);
    log.apply_retention(NOW + 10_000, Offset(300)).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size()), (Offset(300), Offset(300), 0));
    append(&mut log, batch(&["next"])).unwrap();
    assert_eq!(values(&mut log, 300), [(300, "next".into())]);
}

#[test]
fn compacted_logs_keep_all_but_what_is_before_their_start() {
    let config = LogConfig { retention_ms: 1, cleanup_delete: false, cleanup_compact: false, ..small() };
    let (_disk, _dir, mut log) = filled(config, 300);
    let third = log.segments().nth(2).unwrap().base_offset;
    log.delete_records_before(Offset(third.0 + 1)).unwrap();
    let deleted = log.apply_retention(NOW + 10_000, Offset(300)).unwrap();
    assert_eq!(deleted.segments, 2);
    assert_eq!(log.log_start_offset(), Offset(third.0 + 1));
}

#[test]
fn segments_roll_by_size_time_and_index() {
    let rolls = |config: LogConfig, step: i64| {
        let (_disk, _dir, mut log) = new_log(config);
        for i in 0..50 {
            append(&mut log, batch_at(NOW + i * step, &["value"])).unwrap();
        }
        let sizes: Vec<u64> = log.segments().map(|s| s.size).collect();
        (sizes.len(), *sizes.iter().max().unwrap())
    };
    let (count, max) = rolls(LogConfig { segment_bytes: 500, ..LogConfig::default() }, 0);
    assert!(count > 5 && max <= 500);
    assert_eq!(rolls(LogConfig { segment_ms: 9, ..LogConfig::default() }, 1).0, 5);
    assert_eq!(rolls(LogConfig { segment_ms: 9, ..LogConfig::default() }, 0).0, 1);
    let jittered = LogConfig { segment_ms: 20, segment_jitter_ms: 19, ..LogConfig::default() };
    assert!(rolls(jittered, 1).0 > 3);
    let index = LogConfig { index_interval_bytes: 0, segment_index_bytes: 80, ..LogConfig::default() };
    assert!((4..=7).contains(&rolls(index, 0).0));
}

#[test]
fn offsets_are_found_by_time() {
    let (disk, dir, mut log) = filled(small(), 300);
    let check = |log: &mut Log| {
        for t in [0, 1, 99, 150, 299] {
            let found = log.offset_for_timestamp(NOW + t).unwrap().unwrap();
            assert_eq!((found.offset, found.timestamp_ms), (Offset(t), NOW + t));
        }
        assert_eq!(log.offset_for_timestamp(NOW - 5).unwrap().unwrap().offset, log.log_start_offset());
        assert_eq!(log.offset_for_timestamp(NOW + 300).unwrap(), None);
        assert_eq!(log.max_timestamp_offset().unwrap().unwrap().offset, Offset(299));
    };
    check(&mut log);
    log.close().unwrap();
    drop((log, dir));
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
    check(&mut log);
    append(&mut log, batch_at(NOW + 1000, &["a", "b"])).unwrap();
    append(&mut log, batch_at(NOW + 10, &["old"])).unwrap();
    let max = log.max_timestamp_offset().unwrap().unwrap();
    assert_eq!((max.offset, max.timestamp_ms), (Offset(301), NOW + 1001));
    log.delete_records_before(Offset(120)).unwrap();
    assert_eq!(log.offset_for_timestamp(NOW).unwrap().unwrap().offset, Offset(120));
}

#[test]
fn a_truncated_log_ends_at_a_batch_and_goes_on() {
    let (_disk, _dir, mut log) = filled(small(), 300);
    log.flush().unwrap();
    for to in [290, 200, 150, 3] {
        log.truncate_to(Offset(to), NOW).unwrap();
        assert_eq!((log.log_end_offset(), log.flushed_offset()), (Offset(to), Offset(to)));
        append(&mut log, batch_at(NOW + to, &["new"])).unwrap();
        let found = values(&mut log, to - 1);
        assert_eq!(found, [(to - 1, format!("value {:03}", to - 1)), (to, "new".into())]);
        assert_eq!(log.offset_for_timestamp(NOW + to - 1).unwrap().unwrap().offset, Offset(to - 1));
        log.truncate_to(Offset(to), NOW).unwrap();
    }
    log.truncate_to(Offset(1000), NOW).unwrap();
    assert_eq!(log.log_end_offset(), Offset(3), "it does not grow");
    log.truncate_fully_and_start_at(Offset(77), NOW).unwrap();
    append(&mut log, batch(&["fresh"])).unwrap();
    assert_eq!(values(&mut log, 77), [(77, "fresh".into())]);
}

#[test]
fn a_truncation_forgets_what_producers_wrote_beyond_it() {
    let (_disk, _dir, mut log) = new_log(small());
    for sequence in 0..60 {
        append(&mut log, from_producer(1, 0, sequence, &["value"])).unwrap();
    }
    log.flush().unwrap();
    log.truncate_to(Offset(40), NOW).unwrap();
    assert!(append(&mut log, from_producer(1, 0, 39, &["value"])).unwrap().duplicate);
    assert!(!append(&mut log, from_producer(1, 0, 40, &["value"])).unwrap().duplicate);
}

#[test]
fn a_flush_that_was_overtaken_by_a_truncation_vouches_for_no_more() {
    let (disk, _dir, mut log) = filled(small(), 100);
    let job = log.begin_flush().unwrap();
    assert!(log.begin_flush().is_none(), "one at a time");
    log.truncate_to(Offset(50), NOW).unwrap();
    append(&mut log, batch(&["new"])).unwrap();
    let outcome = job.run();
    assert_eq!(log.complete_flush(outcome).unwrap(), Offset(50));
    let names = ottla_env::Disk::list(&disk, Path::new("/data/t-0")).unwrap();
    let beyond = |name: &str| name.ends_with(".snapshot") && name > "00000000000000000051";
    assert!(!names.iter().any(|e| beyond(&e.name)), "{names:?}");
    assert_eq!(log.flush().unwrap(), Offset(51));
}

#[test]
fn a_deleted_partitions_name_is_free_at_once() {
    let (disk, dir, mut log) = filled(small(), 100);
    log.flush().unwrap();
    dir.write_checkpoints().unwrap();
    dir.delete_log(&partition("t"), Some(&mut log)).unwrap();
    assert!(append(&mut log, batch(&["x"])).is_err());
    let anew = TopicIdPartition { topic_id: Uuid([8; 16]), ..partition("t") };
    let mut log = dir.create_log(&anew, small()).unwrap();
    append(&mut log, batch(&["first"])).unwrap();
    log.flush().unwrap();
    while dir.run_deletions(100).unwrap() > 0 {}
    drop((log, dir));
    disk.crash();
    let (dir, report) = open_dir(&disk);
    assert_eq!(report.partitions.iter().map(|p| &p.partition).collect::<Vec<_>>(), [&anew]);
    let mut log = dir.open_log(&anew, small(), NOW).unwrap();
    assert_eq!(values(&mut log, 0), [(0, "first".into())]);
}

#[test]
fn a_flush_that_was_overtaken_by_a_deletion_harms_nobody() {
    let (_disk, dir, mut log) = filled(small(), 100);
    let job = log.begin_flush().unwrap();
    dir.delete_log(&partition("t"), Some(&mut log)).unwrap();
    let anew = TopicIdPartition { topic_id: Uuid([8; 16]), ..partition("t") };
    let mut new_log = dir.create_log(&anew, small()).unwrap();
    let outcome = job.run();
    assert!(log.complete_flush(outcome).is_err());
    assert_eq!(dir.failure(), None);
    append(&mut new_log, batch(&["a"])).unwrap();
    new_log.flush().unwrap();
    drop((log, new_log, dir));
    let report = open_dir(&_disk).1;
    assert_eq!(
        report.partitions.iter().map(|p| (&p.partition, &p.damaged)).collect::<Vec<_>>(),
        [(&anew, &None)]
    );
}

#[test]
fn a_full_disk_is_freed_by_retention() {
    let config = LogConfig { retention_bytes: 5000, retention_ms: -1, preallocate: false, ..small() };
    for crash_at in 0..60 {
        let (disk, dir, mut log) = filled(config.clone(), 300);
        log.flush().unwrap();
        dir.write_checkpoints().unwrap();
        let full = disk.used_bytes();
        disk.set_capacity(Some(full));
        assert!(matches!(
            append(&mut log, batch(&["no room"])),
            Err(AppendError::Storage(crate::StorageError::Full { .. }))
        ));
        let deleted = log.apply_retention(NOW, Offset(300)).unwrap();
        let start = log.log_start_offset();
        assert!(
            deleted.segments > 3 && dir.write_checkpoints().is_err(),
            "there is no room to note the start"
        );
        if crash_at > 0 {
            disk.crash_at(crash_at);
        }
        while dir.run_deletions(2).is_ok_and(|done| done > 0) {}
        if crash_at == 0 {
            assert!(disk.used_bytes() + deleted.bytes <= full, "nothing was freed");
            append(&mut log, batch(&["room"])).unwrap();
        }
        drop((log, dir));
        disk.set_capacity(None);
        disk.crash();
        let (dir, report) = open_dir(&disk);
        assert_eq!(report.partitions[0].damaged, None);
        let mut log = dir.open_log(&partition("t"), config.clone(), NOW).unwrap();
        let first = log.log_start_offset();
        assert!(first <= start, "{first} is beyond {start}");
        let offsets: Vec<i64> = values(&mut log, first.0).iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, (first.0..log.log_end_offset().0).collect::<Vec<_>>(), "crash at {crash_at}");
        assert!(log.log_end_offset() >= Offset(300));
    }
}

#[test]
fn where_log_starts_cannot_be_written_power_loss_leaves_no_gap() {
    power_goes_during_deletions(Some(Fault::no_space(Op::Write).on("-checkpoint.tmp").times(u64::MAX)));
}

#[test]
fn what_retention_takes_away_leaves_no_gap_when_the_power_goes() {
    power_goes_during_deletions(None);
}

fn power_goes_during_deletions(fault: Option<Fault>) {
    let config = LogConfig { retention_bytes: 5000, retention_ms: -1, ..small() };
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        let (dir, _) = open_dir(&disk);
        let mut log = dir.create_log(&partition("t"), config.clone()).unwrap();
        for i in 0..300 {
            append(&mut log, batch_at(NOW + i, &["value"])).unwrap();
        }
        log.flush().unwrap();
        fault.iter().for_each(|fault| disk.inject(fault.clone()));
        log.apply_retention(NOW, Offset(300)).unwrap();
        disk.crash_at(1 + seed % 40);
        while dir.run_deletions(100).is_ok_and(|done| done > 0) {}
        drop((log, dir));
        disk.heal();
        disk.crash();
        let (dir, _) = open_dir(&disk);
        let mut log = dir.open_log(&partition("t"), config.clone(), NOW).unwrap();
        let first = log.log_start_offset().0;
        let offsets: Vec<i64> = values(&mut log, first).iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, (first..300).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn a_full_disk_is_freed_by_deletion() {
    for crash_at in 0..40 {
        let (disk, dir, mut log) = filled(LogConfig { preallocate: false, ..small() }, 300);
        log.flush().unwrap();
        let (full, size) = (disk.used_bytes(), log.size());
        disk.set_capacity(Some(full));
        if crash_at > 0 {
            disk.crash_at(crash_at);
        }
        let deleted = dir.delete_log(&partition("t"), Some(&mut log));
        if deleted.is_ok() {
            while dir.run_deletions(1).is_ok_and(|done| done > 0) {}
        }
        if crash_at == 0 {
            assert!(disk.used_bytes() + size < full && !dir.has_deletions());
        }
        drop((log, dir));
        disk.set_capacity(None);
        disk.crash();
        let (dir, report) = open_dir(&disk);
        // Not deleted at all, or gone as if there had been room.
        assert!(
            report.partitions.iter().all(|found| found.damaged.is_none()),
            "crash at {crash_at}: {report:?}"
        );
        while dir.run_deletions(10).unwrap() > 0 {}
        if report.partitions.is_empty() {
            dir.create_log(&partition("t"), small()).unwrap();
            let left = ottla_env::Disk::list(&disk, Path::new("/data")).unwrap();
            assert!(!left.iter().any(|entry| entry.is_dir), "{left:?}");
        }
    }
}

#[test]
fn a_deletion_that_cannot_be_recorded_keeps_what_tells_whose_it_was() {
    let (disk, dir, mut log) = filled(small(), 100);
    log.flush().unwrap();
    disk.inject(Fault::no_space(Op::Write).on("ottla-partitions").times(u64::MAX));
    dir.delete_log(&partition("t"), Some(&mut log)).unwrap();
    assert_eq!(dir.run_deletions(10).unwrap(), 0);
    assert!(dir.has_deletions(), "it is tried again");
    assert!(matches!(dir.create_log(&partition("t"), small()), Err(crate::StorageError::Full { .. })));
    dir.create_log(&partition("u"), small()).unwrap();
    drop((log, dir));
    // Nor does a start depend on it.
    let (dir, report) = open_dir(&disk);
    assert_eq!(report.partitions, []);
    disk.heal();
    while dir.run_deletions(10).unwrap() > 0 {}
    assert!(!dir.has_deletions());
    let left = ottla_env::Disk::list(&disk, Path::new("/data")).unwrap();
    assert!(!left.iter().any(|entry| entry.is_dir), "{left:?}");
    drop(dir);
    assert_eq!(open_dir(&disk).1.partitions, []);
}

#[test]
fn a_new_directory_and_those_above_it_survive_power_loss() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let root = Path::new("/srv/kafka/data");
        // The process may end once before all is synced.
        if seed % 2 == 0 {
            disk.inject(Fault::io(Op::SyncDir).after(seed / 2 % 4));
            LogDir::open(Arc::new(disk.clone()), root, &options()).unwrap_err();
        }
        let (dir, _) = LogDir::open(Arc::new(disk.clone()), root, &options()).unwrap();
        drop(dir);
        disk.crash();
        let (_, report) = LogDir::open(Arc::new(disk.clone()), root, &options()).unwrap();
        assert!(!report.formatted, "seed {seed}: the directory was lost");
    }
}

#[test]
fn a_log_that_was_given_up_takes_nothing_from_the_one_opened_anew() {
    let (disk, dir, mut log) = filled(small(), 100);
    let job = log.begin_flush().unwrap();
    log.give_up();
    assert!(append(&mut log, batch(&["x"])).is_err());
    let mut anew = dir.open_log(&partition("t"), small(), NOW).unwrap();
    anew.truncate_to(Offset(40), NOW).unwrap();
    anew.flush().unwrap();
    let outcome = job.run();
    let _ = log.complete_flush(outcome);
    dir.write_checkpoints().unwrap();
    drop((log, anew, dir));
    disk.crash();
    let (dir, _) = open_dir(&disk);
    assert_eq!(dir.open_log(&partition("t"), small(), NOW).unwrap().log_end_offset(), Offset(40));
    drop(dir);
    ottla_env::Disk::remove_dir_all(&disk, Path::new("/data/t-0")).unwrap();
    assert!(open_dir(&disk).1.partitions[0].damaged.is_some(), "the record does not say that it is there");
}

/// A file that is opened anew might not tell of a write that failed before.
#[test]
fn sealed_segments_are_synced_through_the_files_that_took_their_appends() {
    let (disk, _dir, mut log) = filled(small(), 100);
    disk.inject(Fault::no_descriptor(Op::Open).on(".log").times(u64::MAX));
    assert_eq!(log.flush().unwrap(), log.log_end_offset());
}

#[test]
fn what_the_tail_says_of_sizes_is_what_is_read() {
    let (_disk, _dir, mut log) = filled(small(), 100);
    let end = log.log_end_offset();
    let mut known = 0;
    for from in 0..=end.0 {
        for up_to in (from..=end.0).map(Offset) {
            if let Some(bytes) = log.bytes_between(Offset(from), up_to) {
                known += usize::from(bytes > 0);
                assert_eq!(
                    log.read(Offset(from), u64::MAX, up_to, true).unwrap().bytes,
                    bytes,
                    "{from} to {up_to}"
                );
            }
        }
    }
    assert!(known > 10, "{known}");
    assert_eq!(log.bytes_between(Offset(0), end), None, "older than the tail");
    assert_eq!(log.bytes_between(Offset(end.0 + 1), end), None);
}
