//! Facts about how cleaned segments take the place of others, and about what comes in between.

use super::compact_test::{compact, compacted, file_names, keyed, offsets, records, seal};
use super::*;
use crate::{Cleaned, Compaction, OffsetMap};

/// Segments of two records each, of the same two keys.
fn seal_segments(log: &mut Log, count: usize) {
    for i in 0..count {
        append(log, keyed(&[("a", Some("1")), ("b", Some(&i.to_string()))])).unwrap();
        seal(log);
    }
}

/// A round up to its first cleaned segment.
fn clean_first(log: &mut Log, high_watermark: i64) -> (Compaction, Cleaned) {
    let mut round = log.begin_compaction(NOW, Offset(high_watermark)).unwrap().unwrap();
    let (map, pace) = (&mut OffsetMap::new(0, 0.9, [1; 16]), &mut |_| true);
    round.read_keys(map, pace).unwrap();
    let cleaned = round.clean_next(map, pace).unwrap().unwrap();
    (round, cleaned)
}

#[test]
fn what_overtakes_a_round_is_not_undone_by_it() {
    for truncate in [false, true] {
        let (disk, dir, mut log) = new_log(compacted());
        seal_segments(&mut log, 4);
        let (round, cleaned) = clean_first(&mut log, 8);
        if truncate {
            log.truncate_to(Offset(3), NOW).unwrap();
        } else {
            log.delete_records_before(Offset(4)).unwrap();
            log.apply_retention(NOW, Offset(8)).unwrap();
            log.flush().unwrap();
            dir.write_checkpoints().unwrap();
        }
        let before = records(&mut log);
        assert!(log.swap_in(cleaned).is_none());
        assert_eq!(records(&mut log), before);
        drop(round);
        drop((log, dir));
        disk.crash();
        let (dir, _) = open_dir(&disk);
        let mut log = dir.open_log(&partition("t"), compacted(), NOW).unwrap();
        let found = records(&mut log);
        if truncate {
            assert_eq!(found, before);
        } else {
            // What is cleaned may be found or not: the last of each key is.
            assert!(before[2..].iter().all(|r| found.contains(r)), "{found:?}");
            assert!(found.iter().all(|r| before.contains(r)), "{found:?}");
        }
    }
}

#[test]
fn a_truncation_finishes_a_swap_that_is_under_way() {
    let (disk, dir, mut log) = new_log(compacted());
    seal_segments(&mut log, 4);
    let (round, cleaned) = clean_first(&mut log, 8);
    let swap = log.swap_in(cleaned).unwrap();
    append(&mut log, keyed(&[("c", Some("1"))])).unwrap();
    log.truncate_to(Offset(8), NOW).unwrap();
    swap.run().unwrap();
    log.complete_swap(&swap).unwrap();
    assert_eq!(offsets(&mut log), [6, 7]);
    drop((round, log, dir));
    disk.crash();
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), compacted(), NOW).unwrap();
    assert_eq!(offsets(&mut log), [6, 7]);
}

#[test]
fn a_swap_that_failed_for_want_of_space_is_finished_by_the_next_round() {
    let (disk, _dir, mut log) = new_log(compacted());
    seal_segments(&mut log, 3);
    let (round, cleaned) = clean_first(&mut log, 6);
    let swap = log.swap_in(cleaned).unwrap();
    disk.inject(ottla_simdisk::Fault::no_space(ottla_simdisk::Op::Remove));
    swap.run().unwrap_err();
    drop((round, swap));
    assert_eq!(offsets(&mut log), [4, 5]);
    append(&mut log, keyed(&[("a", Some("2"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [5, 6]);
}

#[test]
fn what_was_cleaned_and_not_swapped_in_is_of_no_meaning_to_the_next_round() {
    let (disk, dir, mut log) = new_log(compacted());
    seal_segments(&mut log, 3);
    drop(clean_first(&mut log, 4));
    assert!(file_names(&log, &disk).iter().any(|name| name.ends_with(".log.swap")));
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [4, 5]);
    assert!(!file_names(&log, &disk).iter().any(|name| name.ends_with(".swap")));
    drop((log, dir));
    disk.crash();
    let (dir, _) = open_dir(&disk);
    assert_eq!(offsets(&mut dir.open_log(&partition("t"), compacted(), NOW).unwrap()), [4, 5]);
}

/// The cleaner's thread is about to remove files, or in the middle of it, when the log is truncated.
#[test]
fn a_truncation_and_the_cleaners_thread_may_meet() {
    for _ in 0..50 {
        let (disk, dir, mut log) = new_log(compacted());
        for records in [[("a", Some("1")), ("b", Some("1"))], [("a", Some("2")), ("c", Some("1"))]] {
            append(&mut log, keyed(&records)).unwrap();
            seal(&mut log);
        }
        append(&mut log, keyed(&[("d", Some("1"))])).unwrap();
        append(&mut log, keyed(&[("e", Some("1"))])).unwrap();
        log.flush().unwrap();
        let (round, cleaned) = clean_first(&mut log, 6);
        let swap = log.swap_in(cleaned).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| swap.run().unwrap());
            log.truncate_to(Offset(5), NOW).unwrap();
        });
        log.complete_swap(&swap).unwrap();
        assert_eq!(offsets(&mut log), [1, 2, 3, 4]);
        log.flush().unwrap();
        drop((round, log, dir));
        disk.crash();
        let (dir, _) = open_dir(&disk);
        assert_eq!(offsets(&mut dir.open_log(&partition("t"), compacted(), NOW).unwrap()), [1, 2, 3, 4]);
    }
}
