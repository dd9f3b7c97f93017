//! Many partitions are written to, and few files are open.

use ottla_simdisk::{Fault, Op};

use super::*;

const MOST: usize = 4;

fn few() -> LogDirOptions {
    LogDirOptions { appending_files: MOST, open_files: 1, ..options() }
}

fn logs(dir: &LogDir, n: usize) -> Vec<Log> {
    (0..n).map(|i| dir.create_log(&partition(&format!("t{i}")), small()).unwrap()).collect()
}

fn write(log: &mut Log, value: &str) {
    append(log, batch(&[value])).unwrap();
}

fn open(disk: &SimDisk) -> LogDir {
    LogDir::open(Arc::new(disk.clone()), Path::new("/data"), &few()).unwrap().0
}

#[test]
fn of_many_partitions_that_are_written_to_few_have_a_file_open_and_each_keeps_its_records() {
    let disk = SimDisk::new(1);
    let dir = open(&disk);
    let mut logs = logs(&dir, 20);
    for round in 0..3 {
        for (i, log) in logs.iter_mut().enumerate() {
            append(log, batch(&[&format!("{i} {round}")])).unwrap();
            assert!(dir.open_files() <= MOST + 1, "and one to read");
        }
    }
    for (i, log) in logs.iter_mut().enumerate() {
        let expected = [0, 1, 2].map(|round| (round, format!("{i} {round}")));
        assert_eq!(values(log, 0), expected);
        log.flush().unwrap();
        append(log, batch(&["not synced"])).unwrap();
    }
    drop((logs, dir));
    disk.crash();
    disk.restart();
    let dir = open(&disk);
    for i in 0..20 {
        let mut log = dir.open_log(&partition(&format!("t{i}")), small(), NOW).unwrap();
        assert_eq!(values(&mut log, 0)[..3], [0, 1, 2].map(|round| (round, format!("{i} {round}"))));
        assert!(dir.open_files() <= MOST + 1);
    }
}

#[test]
fn a_file_with_unsynced_records_is_synced_before_it_makes_room_and_a_synced_one_is_not() {
    let disk = SimDisk::new(1);
    let dir = open(&disk);
    let mut logs = logs(&dir, 2 * MOST);
    let (synced, dirty) = logs.split_at_mut(MOST);
    for log in &mut *synced {
        append(log, batch(&["a"])).unwrap();
        log.flush().unwrap();
    }
    let before = disk.counters().syncs;
    dirty.iter_mut().for_each(|log| write(log, "b"));
    assert_eq!(disk.counters().syncs, before, "those that had to go were synced");
    synced.iter_mut().for_each(|log| write(log, "c"));
    assert_eq!(disk.counters().syncs, before + MOST as u64);
}

#[test]
fn a_sync_that_fails_to_make_room_takes_the_directory_offline() {
    let disk = SimDisk::new(1);
    let dir = open(&disk);
    let mut logs = logs(&dir, MOST + 1);
    let (last, others) = logs.split_last_mut().unwrap();
    others.iter_mut().for_each(|log| write(log, "a"));
    disk.inject(Fault::io(Op::SyncData).on(".log"));
    let error = append(last, batch(&["b"])).unwrap_err();
    assert!(error.to_string().contains("cannot sync /data/t"), "{error}");
    assert!(dir.failure().is_some());
    for log in others {
        append(log, batch(&["more"])).unwrap_err();
    }
}

#[test]
fn files_of_logs_that_are_gone_leave_nothing_behind() {
    let disk = SimDisk::new(1);
    let dir = open(&disk);
    for i in 0..1000 {
        let mut log = dir.create_log(&partition(&format!("t{i}")), small()).unwrap();
        append(&mut log, batch(&["a"])).unwrap();
        log.close().unwrap();
    }
    assert_eq!(dir.open_files(), 0);
}

#[test]
fn appends_from_many_threads_get_by_with_one_open_file() {
    let disk = SimDisk::new(1);
    let how = LogDirOptions { appending_files: 1, ..few() };
    let (dir, _) = LogDir::open(Arc::new(disk), Path::new("/data"), &how).unwrap();
    let mut logs = logs(&dir, 8);
    std::thread::scope(|scope| {
        for log in &mut logs {
            scope.spawn(move || (0..50).for_each(|_| write(log, "a")));
        }
    });
    for log in &mut logs {
        assert_eq!(values(log, 0).len(), 50);
    }
}
