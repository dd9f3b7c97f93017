use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use bytes::Bytes;
use ottla_env::{Disk, File, OpenOptions, RealDisk};
use ottla_simdisk::{Fault, Op, SimDisk};
use ottla_types::{DirectoryId, Uuid};

use super::frame::{HEADER_BYTES, crc, frame_bytes, parse_header};
use super::{Ballot, EntryKind, LogEntry, LogOptions, LogState, Position, RaftLog};
use crate::error::StartError;

pub(super) const DIR: &str = "/log";

pub(super) fn options(segment_bytes: u64) -> LogOptions {
    LogOptions {
        dir: DIR.into(),
        directory_id: DirectoryId::from_random_bits(|| [7; 16]),
        segment_bytes,
        room_bytes: 0,
        cache_bytes: 300,
    }
}

pub(super) fn sim_disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.create_dir_all(Path::new(DIR)).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

pub(super) fn entry(epoch: u64, index: u64) -> LogEntry {
    let size = (index * 37 + epoch * 11) % 200;
    let body = Bytes::from(vec![(index + epoch) as u8; size as usize]);
    LogEntry { position: Position { epoch, index }, kind: EntryKind::Payload, body }
}

const fn at(epoch: u64, index: u64) -> Position {
    Position { epoch, index }
}

/// Runs a change and waits for it.
fn wait(change: impl FnOnce(super::writer::Done)) -> std::io::Result<()> {
    let (tx, rx) = mpsc::channel();
    change(Box::new(move |result| tx.send(result).unwrap()));
    rx.recv().unwrap()
}

fn append(log: &RaftLog, epoch: u64, indexes: std::ops::Range<u64>) {
    wait(|done| log.append(indexes.map(|index| entry(epoch, index)).collect(), done)).unwrap();
}

fn open(disk: &SimDisk, segment_bytes: u64) -> RaftLog {
    RaftLog::open(Arc::new(disk.clone()), options(segment_bytes)).unwrap()
}

fn files(disk: &SimDisk) -> Vec<String> {
    disk.list(Path::new(DIR)).unwrap().into_iter().map(|file| file.name).collect()
}

#[test]
fn everything_is_there_after_reopening() {
    let disk = sim_disk(1);
    let ballot = Ballot { epoch: 3, node: 9, committed: true };
    let state = {
        let log = open(&disk, 4096);
        assert_eq!(log.state(), LogState::default());
        append(&log, 1, 0..40);
        wait(|done| log.truncate_after(Some(at(1, 29)), done)).unwrap();
        wait(|done| log.save_ballot(ballot, done)).unwrap();
        log.save_committed(Some(at(1, 25)));
        append(&log, 3, 30..35);
        wait(|done| log.purge(at(1, 9), done)).unwrap();
        log.state()
    };
    assert_eq!(state.last, Some(at(3, 34)));
    assert!(files(&disk).len() > 1, "the log should have rolled: {:?}", files(&disk));

    let log = open(&disk, 4096);
    assert_eq!(log.state(), LogState { ballot: Some(ballot), committed: Some(at(1, 25)), ..state });
    let entries = log.reader().read(0, 100, usize::MAX).unwrap();
    let expected: Vec<_> = (10..30).map(|i| entry(1, i)).chain((30..35).map(|i| entry(3, i))).collect();
    assert_eq!(entries, expected);
}

#[test]
fn reads_are_bounded_by_bytes_but_yield_at_least_one() {
    let disk = sim_disk(2);
    let log = open(&disk, 1 << 20);
    append(&log, 1, 0..50);
    let reader = log.reader();
    assert_eq!(reader.read(5, 50, 0).unwrap(), [entry(1, 5)]);
    let some = reader.read(5, 50, 500).unwrap();
    assert!(some.len() > 1 && some.iter().map(|e| e.body.len()).sum::<usize>() <= 500);
    assert!(reader.read(60, 70, 500).unwrap().is_empty());
    assert!(reader.read(9, 5, 500).unwrap().is_empty());
}

#[test]
fn entries_can_be_read_before_they_are_on_disk() {
    let disk = sim_disk(3);
    let (log, _writer) = RaftLog::open_without_thread(Arc::new(disk), options(4096)).unwrap();
    log.append(vec![entry(1, 0), entry(1, 1)], Box::new(|_| panic!("not on disk")));
    assert_eq!(log.reader().read(0, 9, usize::MAX).unwrap(), [entry(1, 0), entry(1, 1)]);
    std::mem::forget(_writer);
    std::mem::forget(log);
}

#[test]
fn purged_segments_are_removed_whole() {
    let disk = sim_disk(4);
    let log = open(&disk, 2048);
    append(&log, 1, 0..20);
    append(&log, 1, 20..40);
    append(&log, 1, 40..60);
    let before = files(&disk);
    assert_eq!(before.len(), 3);
    wait(|done| log.purge(at(1, 39), done)).unwrap();
    // The removal follows the completion; the next change comes after it.
    append(&log, 1, 60..61);
    assert_eq!(files(&disk)[0], before[2]);
    drop(log);
    let log = open(&disk, 2048);
    assert_eq!(log.state().purged, Some(at(1, 39)));
    assert_eq!(log.reader().read(0, 99, usize::MAX).unwrap().len(), 21);
}

#[test]
fn a_purge_beyond_the_end_leaves_an_empty_log() {
    let disk = sim_disk(5);
    let log = open(&disk, 2048);
    append(&log, 1, 0..20);
    wait(|done| log.purge(at(4, 99), done)).unwrap();
    assert_eq!(log.state().last, Some(at(4, 99)));
    append(&log, 5, 100..103);
    drop(log);
    let state = open(&disk, 2048).state();
    assert_eq!((state.purged, state.last), (Some(at(4, 99)), Some(at(5, 102))));
}

#[test]
fn a_closed_log_opens_without_a_sync() {
    let disk = sim_disk(6);
    let log = open(&disk, 1 << 20);
    append(&log, 1, 0..3);
    log.save_committed(Some(at(1, 2)));
    log.thread().close();
    assert!(wait(|done| log.append(vec![entry(1, 3)], done)).is_err(), "it is closed");
    disk.crash();
    let before = disk.mutations();
    let state = open(&disk, 1 << 20).state();
    assert_eq!(disk.mutations(), before);
    assert_eq!((state.committed, state.last), (Some(at(1, 2)), Some(at(1, 2))));
}

#[test]
fn the_first_failed_sync_is_the_end() {
    let disk = sim_disk(7);
    let log = open(&disk, 1 << 20);
    append(&log, 1, 0..3);
    disk.inject(Fault::io(Op::SyncData));
    assert!(wait(|done| log.append(vec![entry(1, 3)], done)).is_err());
    // The disk would work again; the log does not ask it.
    let before = disk.mutations();
    let again = wait(|done| log.append(vec![entry(1, 4)], done)).unwrap_err();
    assert!(again.to_string().contains("failed before"), "{again}");
    assert!(wait(|done| log.save_ballot(Ballot { epoch: 9, node: 1, committed: false }, done)).is_err());
    assert_eq!(disk.mutations(), before);
}

#[test]
fn a_full_disk_is_waited_for() {
    let disk = sim_disk(8);
    let log = open(&disk, 1 << 20);
    append(&log, 1, 0..3);
    disk.inject(Fault::no_space(Op::Write).times(2));
    append(&log, 1, 3..6);
    drop(log);
    assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 5)));
}

#[test]
fn an_append_of_nothing_leaves_no_trace() {
    let disk = sim_disk(10);
    let log = open(&disk, 1 << 20);
    append(&log, 1, 0..3);
    append(&log, 1, 3..3);
    append(&log, 1, 3..6);
    drop(log);
    assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 5)));
}

/// A log of three segments, of which the last one holds several batches.
fn three_segments() -> SimDisk {
    let disk = sim_disk(9);
    let log = open(&disk, 2048);
    append(&log, 1, 0..20);
    append(&log, 1, 20..40);
    for index in 40..44 {
        append(&log, 1, index..index + 1);
    }
    drop(log);
    assert_eq!(files(&disk).len(), 3);
    disk
}

fn segment(disk: &SimDisk, nth: usize) -> std::path::PathBuf {
    Path::new(DIR).join(&files(disk)[nth])
}

fn damage(disk: &SimDisk, nth: usize, offset: u64) -> StartError {
    disk.corrupt(&segment(disk, nth), offset, 0x10).unwrap();
    RaftLog::open(Arc::new(disk.clone()), options(2048))
        .err()
        .unwrap_or_else(|| panic!("{nth} {offset} went unnoticed"))
}

#[test]
fn a_later_format_is_refused_with_the_remedy_and_nothing_is_touched() {
    let disk = three_segments();
    // As a later version writes it: its number in the start frame, and a checksum that is right.
    let path = segment(&disk, 2);
    let file = disk.open(&path, OpenOptions::WRITE).unwrap();
    let mut header = [0; HEADER_BYTES];
    file.read_exact_at(&mut header, 0).unwrap();
    let body_len = parse_header(&header).unwrap().body_len;
    let mut frame = vec![0; frame_bytes(body_len)];
    file.read_exact_at(&mut frame, 0).unwrap();
    frame[HEADER_BYTES + 1] = 2;
    let checksum = crc(&frame[8..]);
    frame[4..8].copy_from_slice(&checksum);
    file.write_all_at(&frame, 0).unwrap();
    let opened = RaftLog::open(Arc::new(disk.clone()), options(2048));
    let error = opened.err().unwrap_or_else(|| panic!("it is not refused"));
    assert!(matches!(error, StartError::Format { found: 2, supported: 1, .. }), "{error}");
    assert!(error.to_string().contains("run the newer version"), "{error}");
    assert_eq!(files(&disk).len(), 3);
}

#[test]
fn damage_before_the_last_batch_is_never_cut_off() {
    let disk = three_segments();
    for nth in 0..3 {
        let file = disk.open(&segment(&disk, nth), OpenOptions::READ).unwrap();
        // The last batch of the last segment is one entry.
        let end = if nth == 2 { file.len().unwrap() - 300 } else { file.len().unwrap() };
        for offset in (0..end).step_by(13) {
            let copy = disk.fork(1);
            let error = damage(&copy, nth, offset);
            let remedied = matches!(error, StartError::Damaged { .. } | StartError::WrongDirectory { .. });
            assert!(remedied, "segment {nth}, byte {offset}: {error}");
            assert_eq!(files(&copy), files(&disk), "nothing may be removed");
        }
    }
}

#[test]
fn a_missing_segment_is_damage() {
    let disk = three_segments();
    for nth in 0..2 {
        let copy = disk.fork(1);
        copy.remove_file(&segment(&copy, nth)).unwrap();
        let error = RaftLog::open(Arc::new(copy), options(2048)).unwrap_err();
        assert!(matches!(&error, StartError::Damaged { what, .. } if what.contains("missing")), "{error}");
    }
}

#[test]
fn a_log_of_another_directory_is_refused() {
    let disk = three_segments();
    let other = LogOptions { directory_id: Uuid([8; 16]), ..options(2048) };
    let error = RaftLog::open(Arc::new(disk), other).unwrap_err();
    assert!(matches!(error, StartError::WrongDirectory { .. }), "{error}");
}

#[test]
fn it_works_on_a_real_directory() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions { dir: dir.path().to_owned(), ..options(64 << 10) };
    {
        let log = RaftLog::open(Arc::new(RealDisk), options.clone()).unwrap();
        append(&log, 1, 0..2000);
        append(&log, 1, 2000..2001);
    }
    let log = RaftLog::open(Arc::new(RealDisk), options).unwrap();
    let entries = log.reader().read(0, u64::MAX, usize::MAX).unwrap();
    assert!(entries.into_iter().eq((0..2001).map(|index| entry(1, index))));
}

/// The only segment's file, and the bytes that a change adds to it, taken from a copy of the disk.
fn bytes_added(disk: &SimDisk, change: impl FnOnce(&RaftLog)) -> (Arc<dyn File>, u64, Vec<u8>) {
    let path = segment(disk, 0);
    let file = disk.open(&path, OpenOptions::WRITE).unwrap();
    let end = file.len().unwrap();
    let copy = disk.fork(1);
    change(&open(&copy, 1 << 20));
    let copied = copy.open(&path, OpenOptions::READ).unwrap();
    let mut bytes = vec![0; (copied.len().unwrap() - end) as usize];
    copied.read_exact_at(&mut bytes, end).unwrap();
    (file, end, bytes)
}

#[test]
fn what_a_killed_process_left_in_the_page_cache_is_synced_before_it_counts() {
    for seed in 0..20 {
        let disk = sim_disk(seed);
        append(&open(&disk, 1 << 20), 1, 0..3);
        let (file, end, bytes) = bytes_added(&disk, |log| append(log, 1, 3..6));
        // Written, but the process died before it synced.
        file.write_all_at(&bytes, end).unwrap();
        assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 5)));
        disk.crash();
        assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 5)), "it was there before; seed {seed}");
    }
}

#[test]
fn two_torn_batches_at_one_place_do_not_make_a_whole_one() {
    let disk = sim_disk(12);
    append(&open(&disk, 1 << 20), 1, 0..3);
    let two = |epoch| move |log: &RaftLog| append(log, epoch, 3..5);
    // Frames of the same sizes.
    let (file, end, first) = bytes_added(&disk, two(5));
    let (_, _, second) = bytes_added(&disk, two(205));
    let middle = frame_bytes(17 + entry(5, 3).body.len());
    assert_eq!((first.len(), entry(5, 3).body.len()), (second.len(), entry(205, 3).body.len()));

    file.write_all_at(&first[middle..], end + middle as u64).unwrap();
    assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 2)));
    file.write_all_at(&second[..middle], end).unwrap();
    assert_eq!(open(&disk, 1 << 20).state().last, Some(at(1, 2)));
}

#[test]
fn a_file_seldom_grows_and_the_room_in_it_is_not_taken_for_a_torn_end() {
    let disk = sim_disk(3);
    let options = LogOptions { room_bytes: 4096, ..options(1 << 20) };
    let path = Path::new(DIR).join("00000000000000000000.raft");
    let len = || disk.open(&path, OpenOptions::READ).unwrap().len().unwrap();
    let log = RaftLog::open(Arc::new(disk.clone()), options.clone()).unwrap();
    append(&log, 1, 0..1);
    let grown = len();
    (1..8).for_each(|index| append(&log, 1, index..index + 1));
    assert_eq!(len(), grown);
    log.thread().close();
    drop(log);
    let syncs = disk.counters().syncs;
    let log = RaftLog::open(Arc::new(disk.clone()), options).unwrap();
    assert_eq!(disk.counters().syncs, syncs, "it was closed");
    append(&log, 1, 8..9);
    assert_eq!(len(), grown);
    assert_eq!(log.reader().read(0, 99, usize::MAX).unwrap().len(), 9);
}
