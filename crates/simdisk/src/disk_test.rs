use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{Clock, Disk, File, ManualClock, OpenOptions};

use crate::{Fault, Op, SimDisk};

fn file(disk: &SimDisk, path: &str) -> Arc<dyn File> {
    disk.open(Path::new(path), OpenOptions::CREATE).unwrap()
}

fn bytes(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(Path::new(path), OpenOptions::READ).ok()?;
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    Some(bytes)
}

#[test]
fn synced_bytes_and_names_survive() {
    for seed in 0..200 {
        let disk = SimDisk::new(seed);
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        let f = file(&disk, "/d/a");
        f.write_all_at(b"hello", 0).unwrap();
        f.sync_data().unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        disk.crash();
        assert_eq!(bytes(&disk, "/d/a").as_deref(), Some(&b"hello"[..]));
    }
}

#[test]
fn unsynced_bytes_are_kept_lost_or_torn() {
    let (mut kept, mut lost, mut torn) = (0, 0, 0);
    for seed in 0..300 {
        let disk = SimDisk::new(seed);
        let f = file(&disk, "/a");
        f.sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        f.write_all_at(&[7; 2000], 0).unwrap();
        disk.crash();
        match bytes(&disk, "/a").unwrap() {
            all if all == [7; 2000] => kept += 1,
            none if none.is_empty() => lost += 1,
            _ => torn += 1,
        }
    }
    assert!(kept > 20 && lost > 20 && torn > 20, "{kept} {lost} {torn}");
}

#[test]
fn later_writes_may_survive_earlier_ones() {
    let reordered = (0..300).any(|seed| {
        let disk = SimDisk::new(seed);
        let f = file(&disk, "/a");
        f.set_len(2048).unwrap();
        f.sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        f.write_all_at(&[1; 512], 0).unwrap();
        f.write_all_at(&[2; 512], 1024).unwrap();
        disk.crash();
        let b = bytes(&disk, "/a").unwrap();
        b[0] == 0 && b[1024] == 2
    });
    assert!(reordered);
}

#[test]
fn unsynced_names_are_kept_or_lost() {
    let (mut old, mut new) = (0, 0);
    for seed in 0..100 {
        let disk = SimDisk::new(seed);
        file(&disk, "/a").sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk.rename(Path::new("/a"), Path::new("/b")).unwrap();
        disk.crash();
        match (bytes(&disk, "/a"), bytes(&disk, "/b")) {
            (Some(_), None) => old += 1,
            (None, Some(_)) => new += 1,
            both => panic!("a rename is atomic: {both:?}"),
        }
    }
    assert!(old > 10 && new > 10, "{old} {new}");
}

#[test]
fn power_goes_at_the_nth_operation() {
    let disk = SimDisk::new(1);
    let f = file(&disk, "/a");
    disk.crash_at(2);
    f.write_all_at(b"x", 0).unwrap();
    assert!(f.sync_data().is_err());
    assert!(disk.is_off());
    assert!(disk.list(Path::new("/")).is_err());
    disk.restart();
    assert!(disk.list(Path::new("/")).is_ok());
    assert!(f.write_all_at(b"x", 0).is_err(), "handles die with the power");
}

#[test]
fn a_failed_sync_drops_the_dirty_pages_and_the_next_one_lies() {
    let lied = (0..50).any(|seed| {
        let disk = SimDisk::new(seed);
        let f = file(&disk, "/a");
        f.sync_data().unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        f.write_all_at(b"x", 0).unwrap();
        disk.inject(Fault::io(Op::SyncData));
        assert!(f.sync_data().is_err());
        f.sync_data().unwrap();
        assert_eq!(bytes(&disk, "/a").unwrap(), b"x", "reads still see it");
        disk.crash();
        bytes(&disk, "/a").unwrap().is_empty()
    });
    assert!(lied);
}

#[test]
fn a_full_disk_cuts_the_write_and_space_freed_serves_again() {
    let disk = SimDisk::new(1);
    disk.set_capacity(Some(10));
    let f = file(&disk, "/a");
    let error = f.write_all_at(&[1; 12], 0).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(f.len().unwrap(), 10);
    assert_eq!(disk.free_bytes(Path::new("/")).unwrap(), 0);
    f.write_all_at(&[2; 10], 0).unwrap();
    f.set_len(0).unwrap();
    assert_eq!(disk.free_bytes(Path::new("/")).unwrap(), 10);
    f.preallocate(0, 8).unwrap();
    assert_eq!(f.len().unwrap(), 0, "a reservation keeps the length");
    assert!(file(&disk, "/b").write_all_at(&[1; 3], 0).is_err());
    f.write_all_at(&[1; 8], 0).unwrap();
}

#[test]
fn faults_hit_the_named_path_and_count() {
    let disk = SimDisk::new(1);
    let (a, b) = (file(&disk, "/a"), file(&disk, "/b"));
    disk.inject(Fault::io(Op::Write).on("/a").after(1));
    b.write_all_at(b"x", 0).unwrap();
    a.write_all_at(b"x", 0).unwrap();
    assert!(a.write_all_at(b"x", 0).is_err());
    a.write_all_at(b"x", 0).unwrap();
    assert_eq!(disk.counters().writes, 4);
    assert_eq!(disk.counters().bytes_written, 3);
}

#[test]
fn slow_operations_move_the_clock() {
    let disk = SimDisk::new(1);
    let clock = Arc::new(ManualClock::default());
    disk.slow(Op::SyncData, Duration::from_millis(5), Arc::clone(&clock));
    file(&disk, "/a").sync_data().unwrap();
    assert_eq!(clock.wall_ms(), 5);
}

#[test]
fn directories_move_and_go_with_their_files() {
    let disk = SimDisk::new(1);
    disk.create_dir_all(Path::new("/d/e")).unwrap();
    file(&disk, "/d/e/a");
    disk.rename(Path::new("/d/e"), Path::new("/d/f")).unwrap();
    assert!(disk.exists(Path::new("/d/f/a")).unwrap());
    disk.remove_dir_all(Path::new("/d")).unwrap();
    assert!(disk.list(Path::new("/")).unwrap().is_empty());
}

#[test]
fn the_same_seed_gives_the_same_outcome() {
    let run = |seed| {
        let disk = SimDisk::new(seed);
        let f = file(&disk, "/a");
        disk.sync_dir(Path::new("/")).unwrap();
        f.write_all_at(&[7; 4000], 0).unwrap();
        disk.crash();
        bytes(&disk, "/a")
    };
    for seed in 0..50 {
        assert_eq!(run(seed), run(seed));
    }
}

#[test]
fn a_lock_goes_with_its_handle_or_with_the_power() {
    let disk = SimDisk::new(1);
    let (a, b) = (file(&disk, "/a"), file(&disk, "/a"));
    assert!(a.try_lock().unwrap() && a.try_lock().unwrap());
    assert!(!b.try_lock().unwrap());
    drop(a);
    assert!(b.try_lock().unwrap());
    disk.sync_dir(Path::new("/")).unwrap();
    disk.crash();
    assert!(file(&disk, "/a").try_lock().unwrap());
}
