use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};
use ottla_env::{Disk, OpenOptions};
use ottla_simdisk::SimDisk;

use crate::log::Position;
use crate::snapshot::{SnapshotFile, SnapshotStore};

const DIR: &str = "/snapshots";

fn disk() -> SimDisk {
    let disk = SimDisk::new(7);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

fn open(disk: &SimDisk) -> SnapshotStore {
    SnapshotStore::open(Arc::new(disk.clone()), Path::new(DIR)).unwrap()
}

fn at(index: u64) -> Position {
    Position { epoch: 3, index }
}

fn file(n: u8) -> SnapshotFile {
    SnapshotFile { head: Bytes::from(vec![n; 20]), state: Bytes::from(vec![n + 1; 3000]) }
}

fn names(disk: &SimDisk) -> Vec<String> {
    disk.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn the_newest_one_is_read_and_older_ones_go() {
    let disk = disk();
    let store = open(&disk);
    assert_eq!(store.newest().unwrap(), None);
    for n in [9, 10] {
        store.write(at(n), &file(n as u8).head, &file(n as u8).state).unwrap();
    }
    assert_eq!(names(&disk), ["00000000000000000010-0000000003.snap"]);
    assert_eq!(open(&disk).newest().unwrap(), Some(at(10)));
    assert_eq!(store.read(at(10)).unwrap(), file(10));
}

#[test]
fn a_late_older_one_does_not_replace_a_newer_one() {
    let disk = disk();
    let store = open(&disk);
    for n in [10, 9] {
        store.write(at(n), &file(1).head, &file(1).state).unwrap();
    }
    assert_eq!(store.newest().unwrap(), Some(at(10)));
}

#[test]
fn power_loss_at_each_write_and_sync_leaves_a_whole_one() {
    let total = {
        let disk = disk();
        let store = open(&disk);
        store.write(at(1), &file(1).head, &file(1).state).unwrap();
        let before = disk.mutations();
        store.write(at(2), &file(2).head, &file(2).state).unwrap();
        disk.mutations() - before
    };
    for n in 1..=total {
        for seed in 0..20 {
            let disk = disk();
            open(&disk).write(at(1), &file(1).head, &file(1).state).unwrap();
            let disk = disk.fork(seed);
            disk.crash_at(n);
            let done = SnapshotStore::open(Arc::new(disk.clone()), Path::new(DIR))
                .map(|store| store.write(at(2), &file(2).head, &file(2).state).is_ok());
            disk.restart();
            let store = open(&disk);
            let newest = store.newest().unwrap().unwrap();
            assert!(
                newest == at(2) || (newest == at(1) && !matches!(done, Ok(true))),
                "crash at {n}, seed {seed}"
            );
            assert_eq!(store.read(newest).unwrap(), file(newest.index as u8), "crash at {n}, seed {seed}");
            assert!(names(&disk).iter().all(|name| name.ends_with(".snap")));
        }
    }
}

#[test]
fn damage_is_an_error() {
    let disk = disk();
    let store = open(&disk);
    store.write(at(1), &file(1).head, &file(1).state).unwrap();
    let path = Path::new(DIR).join(&names(&disk)[0]);
    for offset in (0..3000).step_by(7) {
        disk.corrupt(&path, offset, 1).unwrap();
        assert!(store.read(at(1)).unwrap_err().to_string().contains("damaged"), "byte {offset}");
        disk.corrupt(&path, offset, 1).unwrap();
    }
    assert_eq!(store.read(at(1)).unwrap(), file(1));
}

#[test]
fn a_later_format_is_refused_with_the_remedy() {
    let disk = disk();
    let store = open(&disk);
    store.write(at(1), &file(1).head, &file(1).state).unwrap();
    let path = Path::new(DIR).join(&names(&disk)[0]);
    // As a later version writes it: its number, and a checksum that is right.
    let file = disk.open(&path, OpenOptions::WRITE).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes[9] = 2;
    let end = bytes.len() - 4;
    let crc = checksum(CrcAlgorithm::Crc32Iscsi, &bytes[..end]) as u32;
    bytes[end..].copy_from_slice(&crc.to_be_bytes());
    file.write_all_at(&bytes, 0).unwrap();
    let refused = store.read(at(1)).unwrap_err().to_string();
    assert!(
        refused.contains(".snap has format 2, this version reads up to 1: run the newer version"),
        "{refused}"
    );
}

#[test]
fn whoever_reads_the_newest_gets_one_though_newer_ones_replace_it() {
    let disk = disk();
    let store = open(&disk);
    store.write(at(1), &file(1).head, &file(1).state).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 2..=200 {
                store.write(at(n), &file(n as u8).head, &file(n as u8).state).unwrap();
            }
        });
        while !writer.is_finished() {
            let (position, read) = store.read_newest().unwrap().unwrap();
            assert_eq!(read, file(position.index as u8));
        }
    });
}
