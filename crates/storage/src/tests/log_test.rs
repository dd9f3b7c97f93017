use ottla_simdisk::{Fault, Op};
use ottla_types::Offset;

use super::*;

#[test]
fn what_is_appended_is_read() {
    let (_disk, _dir, mut log) = new_log(small());
    let info = append(&mut log, batch(&["a", "b"])).unwrap();
    assert_eq!((info.base_offset, info.last_offset, info.records), (Offset(0), Offset(1), 2));
    append(&mut log, batch(&["c"])).unwrap();
    assert_eq!(values(&mut log, 1), [(1, "b".into()), (2, "c".into())]);
    assert_eq!(log.log_end_offset(), Offset(3));
}

#[test]
fn a_log_of_many_segments_is_read_and_comes_back() {
    let (disk, dir, mut log) = new_log(small());
    let mut expected = Vec::new();
    for i in 0..500 {
        let value = format!("value {i}");
        append(&mut log, batch(&[&value])).unwrap();
        expected.push((i64::from(i), value));
    }
    assert!(log.segments().count() > 5);
    assert_eq!(values(&mut log, 0), expected);
    assert_eq!(log.flush().unwrap(), Offset(500));
    drop((log, dir));
    disk.crash();
    let (dir, report) = open_dir(&disk);
    assert_eq!(report.partitions.len(), 1);
    assert_eq!(report.partitions[0].damaged, None);
    let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
    assert_eq!(values(&mut log, 0), expected);
    append(&mut log, batch(&["more"])).unwrap();
    assert_eq!(values(&mut log, 499), [expected[499].clone(), (500, "more".into())]);
}

#[test]
fn a_read_ends_at_a_whole_batch_within_its_bounds() {
    for tail_cache_bytes in [0, 100_000] {
        let (_disk, _dir, mut log) = new_log(LogConfig { tail_cache_bytes, ..small() });
        let size = batch(&["value 10"]).len() as u64;
        for i in 10..60 {
            append(&mut log, batch(&[&format!("value {i}")])).unwrap();
        }
        let end = log.log_end_offset();
        for (max, batches) in [(size * 3, 3), (size * 4 - 1, 3), (size * 10 + 5, 10)] {
            let read = log.read(Offset(5), max, end, false).unwrap();
            assert!(read.bytes % size == 0 && read.bytes <= max, "{read:?}");
            assert!(
                read.bytes == batches * size || tail_cache_bytes == 0 && read.bytes > 0,
                "{max}: {read:?}"
            );
            assert_eq!(read.first_offset, Some(Offset(5)));
            assert_eq!(read.load().unwrap().len() as u64, read.bytes);
        }
        let bounded = log.read(Offset(5), 1 << 20, Offset(8), true).unwrap();
        assert_eq!(bounded.bytes, 3 * size);
        assert!(log.read(Offset(8), 1 << 20, Offset(8), true).unwrap().is_empty());
        let refused = log.read(Offset(5), size - 1, end, false).unwrap();
        assert!(refused.is_empty() && refused.too_large);
        assert_eq!(log.read(Offset(5), size - 1, end, true).unwrap().bytes, size);
        assert!(log.read(end, 1 << 20, end, true).unwrap().is_empty());
    }
}

#[test]
fn a_read_in_the_middle_of_a_batch_returns_all_of_it() {
    for tail_cache_bytes in [0, 100_000] {
        let (_disk, _dir, mut log) = new_log(LogConfig { tail_cache_bytes, ..small() });
        append(&mut log, batch(&["a", "b", "c"])).unwrap();
        let read = log.read(Offset(2), 1 << 20, Offset(3), true).unwrap();
        assert_eq!(read.first_offset, Some(Offset(0)));
        let cut = log.read(Offset(0), 1 << 20, Offset(2), true).unwrap();
        assert!(cut.is_empty(), "the batch reaches beyond the bound");
    }
}

#[test]
fn outside_of_the_log_is_an_error_that_tells_its_ends() {
    let (_disk, _dir, mut log) = new_log(small());
    append(&mut log, batch(&["a", "b", "c"])).unwrap();
    log.delete_records_before(Offset(1)).unwrap();
    for offset in [0, 4] {
        let error = log.read(Offset(offset), 1, Offset(3), true).unwrap_err();
        assert!(matches!(
            error,
            crate::ReadError::OffsetOutOfRange { log_start: Offset(1), end: Offset(3), .. }
        ));
    }
}

#[test]
fn tail_readers_need_no_disk() {
    let (disk, _dir, mut log) = new_log(LogConfig { tail_cache_bytes: 100_000, ..small() });
    for i in 0..100 {
        append(&mut log, batch(&[&format!("value {i}"), &"x".repeat(5000)[..i * 10]])).unwrap();
    }
    let before = disk.counters();
    assert_eq!(values(&mut log, 190).len(), 10);
    assert_eq!(disk.counters(), before);
}

#[test]
fn nothing_is_on_disk_before_the_first_append() {
    let (disk, dir, mut log) = new_log(small());
    let entries = disk.clone();
    let list = move || ottla_env::Disk::list(&entries, Path::new("/data")).unwrap();
    assert!(list().iter().all(|e| !e.is_dir));
    log.start_leader_epoch(LeaderEpoch(3));
    assert!(log.begin_flush().is_none());
    assert!(values(&mut log, 0).is_empty());
    append(&mut log, batch(&["a"])).unwrap_err();
    log.append_as_leader(batch(&["a"]), &how(3)).unwrap();
    assert!(list().iter().any(|e| e.is_dir && e.name == "t-0"));
    log.flush().unwrap();
    drop((log, dir));
    ottla_env::Disk::remove_dir_all(&disk, Path::new("/data/t-0")).unwrap();
    let (dir, report) = open_dir(&disk);
    assert!(report.partitions[0].damaged.is_some(), "it had records: it is not taken for empty");
    assert!(dir.create_log(&partition("t"), small()).is_err());
    dir.delete_log(&partition("t"), None).unwrap();
    dir.create_log(&partition("t"), small()).unwrap();
}

#[test]
fn a_failed_sync_takes_the_directory_offline_and_acknowledges_nothing() {
    let (disk, dir, mut log) = new_log(small());
    append(&mut log, batch(&["a"])).unwrap();
    log.flush().unwrap();
    append(&mut log, batch(&["b"])).unwrap();
    disk.inject(ottla_simdisk::Fault::io(ottla_simdisk::Op::SyncData).on(".log"));
    assert!(matches!(log.flush(), Err(crate::StorageError::Offline { .. })));
    assert_eq!(log.flushed_offset(), Offset(1));
    assert!(dir.failure().is_some());
    for _ in 0..2 {
        // The device would say yes now; nobody asks it.
        assert!(matches!(log.flush(), Err(crate::StorageError::Offline { .. })));
        assert!(matches!(append(&mut log, batch(&["c"])), Err(AppendError::Storage(_))));
    }
    assert_eq!(values(&mut log, 0).len(), 2, "what is in the page cache can still be read");
}

#[test]
fn a_flush_that_found_no_descriptor_is_made_up_for() {
    let flushed = |scarce: bool| {
        let disk = SimDisk::new(1);
        let (dir, _) = open_dir(&disk);
        let mut log = dir.create_log(&partition("t"), small()).unwrap();
        for i in 0..300 {
            append(&mut log, batch(&[&format!("value {i}")])).unwrap();
        }
        assert!(log.segments().count() > 3);
        if scarce {
            for op in [Op::Open, Op::Create, Op::SyncDir] {
                disk.inject(Fault::no_descriptor(op).times(u64::MAX));
            }
            let job = log.begin_flush().expect("there is something to flush");
            let error = log.complete_flush(job.run()).unwrap_err();
            assert!(matches!(error, crate::StorageError::TooManyOpenFiles { .. }) && error.passes());
            assert_eq!((log.flushed_offset(), dir.failure()), (Offset(0), None));
            disk.heal();
        }
        let before = disk.counters().syncs;
        let job = log.begin_flush().expect("there still is");
        assert_eq!(log.complete_flush(job.run()).unwrap(), Offset(300));
        disk.counters().syncs - before
    };
    assert_eq!(flushed(true), flushed(false), "not all was synced that a first flush syncs");
}

#[test]
fn a_full_disk_refuses_appends_until_there_is_space() {
    for room in 1..400 {
        let (disk, _dir, mut log) = new_log(LogConfig { preallocate: room % 2 == 0, ..small() });
        for _ in 0..8 {
            append(&mut log, batch(&["before"])).unwrap();
        }
        log.flush().unwrap();
        disk.set_capacity(Some(disk.used_bytes() + room));
        let mut refused = 0;
        let mut expected = 8;
        for i in 0..12 {
            match append(&mut log, batch(&[&"x".repeat(30 * i)])) {
                Ok(_) => expected += 1,
                Err(AppendError::Storage(crate::StorageError::Full { .. })) => refused += 1,
                Err(e) => panic!("{e}"),
            }
            let _ = log.flush();
        }
        assert!(refused > 0 || room % 2 == 0, "what was reserved before may do");
        disk.set_capacity(None);
        append(&mut log, batch(&["after"])).unwrap();
        assert_eq!(log.flush().unwrap(), Offset(expected + 1));
        assert_eq!(values(&mut log, 0).len() as i64, expected + 1);
        drop((log, _dir));
        disk.crash();
        let (dir, _) = open_dir(&disk);
        let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
        assert_eq!(values(&mut log, 0).len() as i64, expected + 1);
    }
}

#[test]
fn rot_in_synced_records_is_damage_and_nothing_is_cut() {
    let (disk, dir, mut log) = new_log(LogConfig { segment_bytes: 100_000, ..small() });
    for i in 0..20 {
        append(&mut log, batch(&[&format!("value {i}")])).unwrap();
    }
    log.flush().unwrap();
    dir.write_checkpoints().unwrap();
    let size = log.size();
    drop((log, dir));
    let path = Path::new("/data/t-0/00000000000000000000.log");
    // The length field of the last batch, so that the walk of headers sees it.
    let last = size / 20 * 19;
    disk.corrupt(path, last + 10, 0xff).unwrap();
    let (dir, _) = open_dir(&disk);
    let error = dir.open_log(&partition("t"), small(), NOW).unwrap_err();
    assert!(matches!(error, crate::StorageError::Damaged { .. }), "{error}");
    assert_eq!(
        ottla_env::Disk::open(&disk, path, ottla_env::OpenOptions::READ).unwrap().len().unwrap(),
        size
    );
}

#[test]
fn an_index_that_is_gone_or_lies_is_rebuilt() {
    for lie in [None, Some(6), Some(3)] {
        let (disk, dir, mut log) = new_log(LogConfig { tail_cache_bytes: 0, ..small() });
        for i in 0..200 {
            append(&mut log, batch(&[&format!("value {i}")])).unwrap();
        }
        let expected = values(&mut log, 0);
        log.close().unwrap();
        dir.close(ottla_types::BrokerEpoch(1)).unwrap();
        drop((log, dir));
        let index = Path::new("/data/t-0/00000000000000000000.index");
        match lie {
            None => ottla_env::Disk::remove_file(&disk, index).unwrap(),
            Some(at) => disk.corrupt(index, 8 * 3 + at, 0x11).unwrap(),
        }
        let (dir, _) = open_dir(&disk);
        let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
        for from in 0..200 {
            let read = log.read(Offset(from), 1, Offset(200), true).unwrap();
            assert_eq!(read.first_offset, Some(Offset(from)));
        }
        assert_eq!(values(&mut log, 0), expected);
    }
}

#[test]
fn another_cluster_or_node_is_refused_and_a_directory_is_used_once() {
    let disk = SimDisk::new(1);
    let (dir, report) = open_dir(&disk);
    assert!(report.formatted && report.clean_shutdown.is_none());
    let open = |options: &LogDirOptions| LogDir::open(Arc::new(disk.clone()), Path::new("/data"), options);
    assert!(matches!(open(&options()), Err(crate::OpenError::Locked { .. })));
    assert_eq!(dir.directory_id(), Uuid([9; 16]));
    dir.close(ottla_types::BrokerEpoch(17)).unwrap();
    drop(dir);
    let other = LogDirOptions { cluster_id: "other".into(), ..options() };
    assert!(matches!(open(&other), Err(crate::OpenError::OtherCluster { .. })));
    let other = LogDirOptions { node_id: NodeId(2), ..options() };
    assert!(matches!(open(&other), Err(crate::OpenError::OtherNode { .. })));
    let again = LogDirOptions { new_directory_id: Uuid([8; 16]), ..options() };
    let (dir, report) = open(&again).unwrap();
    assert_eq!(dir.directory_id(), Uuid([9; 16]), "the id stays");
    assert_eq!(report.clean_shutdown, Some(ottla_types::BrokerEpoch(17)));
    drop(dir);
    assert_eq!(open(&again).unwrap().1.clean_shutdown, None, "the marker counts once");
}

#[test]
fn the_broker_epoch_that_was_noted_survives_power_loss() {
    let disk = SimDisk::new(1);
    for (number, noted) in [(17, Some(17)), (18, Some(18)), (-1, None)] {
        let (dir, _) = open_dir(&disk);
        dir.note_broker_epoch(ottla_types::BrokerEpoch(number)).unwrap();
        drop(dir);
        disk.crash();
        let (_, report) = open_dir(&disk);
        assert_eq!(report.noted_epoch, noted.map(ottla_types::BrokerEpoch));
        assert_eq!(report.clean_shutdown, None);
    }
}

#[test]
fn a_partition_that_was_set_aside_can_be_given_back_whenever_power_went() {
    for operation in 1..100 {
        let (disk, dir, mut log) = new_log(small());
        append(&mut log, batch(&["a"])).unwrap();
        log.flush().unwrap();
        let partition = log.partition().clone();
        drop(log);
        disk.crash_at(operation);
        let is_done = dir.set_aside(std::slice::from_ref(&partition), &mut Vec::new()).is_ok();
        drop(dir);
        disk.crash();
        let (dir, report) = open_dir(&disk);
        let damaged: Vec<_> = report.partitions.iter().filter(|found| found.damaged.is_some()).collect();
        assert!(damaged.is_empty(), "power went in operation {operation}: {damaged:?}");
        dir.open_or_create_log(&partition, small(), NOW).unwrap();
        if is_done {
            assert!(operation > 3, "power went in the middle");
            return;
        }
    }
    panic!("it does not end");
}

#[test]
fn an_idle_log_holds_nothing_and_goes_on() {
    let (disk, dir, mut log) = new_log(small());
    for i in 0..300 {
        append(&mut log, batch(&[&format!("value {i}")])).unwrap();
    }
    assert!(!log.release(), "something is not synced");
    assert!(dir.tail_cache_bytes() > 0);
    log.flush().unwrap();
    let expected = values(&mut log, 0);
    let opens = |log: &mut Log| {
        let before = disk.counters().opens;
        append(log, batch(&["more"])).unwrap();
        disk.counters().opens - before
    };
    assert_eq!(opens(&mut log), 0);
    log.flush().unwrap();
    assert!(log.release());
    assert_eq!(dir.tail_cache_bytes(), 0);
    assert_eq!(values(&mut log, 0)[..300], expected);
    assert!(opens(&mut log) > 0, "the file was held open");
    assert_eq!(values(&mut log, 299).len(), 3);
}
