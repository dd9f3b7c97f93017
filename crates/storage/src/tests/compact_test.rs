//! Facts about compaction.

use ottla_records::EndTxnMarker;

use super::*;
use crate::{CompactError, OffsetMap};

const DAY: i64 = 24 * 3_600_000;

pub(super) fn compacted() -> LogConfig {
    LogConfig { cleanup_compact: true, cleanup_delete: false, min_cleanable_dirty_ratio: 0.0, ..small() }
}

/// One batch of keys and values; no value is a tombstone.
pub(super) fn keyed(records: &[(&str, Option<&str>)]) -> Bytes {
    keyed_by(BatchBuilder::new(), records)
}

fn keyed_by(mut builder: BatchBuilder, records: &[(&str, Option<&str>)]) -> Bytes {
    for (key, value) in records {
        builder.append(NOW, Some(key.as_bytes()), value.map(str::as_bytes), &[]).unwrap();
    }
    builder.build().unwrap()
}

fn in_txn(producer: i64, sequence: i32, records: &[(&str, Option<&str>)]) -> Bytes {
    let mut builder = BatchBuilder::new().transactional(true);
    builder.set_producer(ProducerId(producer), ProducerEpoch(0), sequence);
    keyed_by(builder, records)
}

fn end_txn(log: &mut Log, producer: i64, commit: bool) {
    let marker = EndTxnMarker { commit, coordinator_epoch: 0 };
    let batch = marker.batch(Offset(0), LeaderEpoch(0), NOW, ProducerId(producer), ProducerEpoch(0)).unwrap();
    let how = LeaderAppend { origin: AppendOrigin::Coordinator, ..how(0) };
    log.append_as_leader(batch, &how).unwrap();
}

/// Begins another segment.
pub(super) fn seal(log: &mut Log) {
    log.flush().unwrap();
    log.roll(NOW).unwrap();
    log.flush().unwrap();
}

/// One round, as a host runs it; how many segments were swapped in.
pub(super) fn compact(log: &mut Log, now_ms: i64) -> Result<usize, CompactError> {
    compact_with(log, now_ms, &mut OffsetMap::new(1 << 20, 0.9, [3; 16]))
}

pub(super) fn compact_with(log: &mut Log, now_ms: i64, map: &mut OffsetMap) -> Result<usize, CompactError> {
    let end = log.log_end_offset();
    let Some(mut round) = log.begin_compaction(now_ms, end)? else { return Ok(0) };
    assert!(log.begin_compaction(now_ms, end)?.is_none(), "one at a time");
    let pace = &mut |_| true;
    round.read_keys(map, pace)?;
    let mut swapped = 0;
    while let Some(cleaned) = round.clean_next(map, pace)? {
        let Some(swap) = log.swap_in(cleaned) else { continue };
        swap.run()?;
        log.complete_swap(&swap)?;
        swapped += 1;
    }
    log.complete_compaction(round);
    Ok(swapped)
}

/// Offset, key and value of each record; control records have neither.
pub(super) fn records(log: &mut Log) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let mut out = Vec::new();
    let start = log.log_start_offset().0;
    for batch in all_batches(log, start) {
        for record in batch.records(1 << 20).unwrap().map(Result::unwrap) {
            if batch.attributes.is_control() {
                out.push((record.offset.0, "marker".to_owned(), None));
            } else {
                out.push((record.offset.0, text(record.key.unwrap()), record.value.map(text)));
            }
        }
    }
    out
}

pub(super) fn offsets(log: &mut Log) -> Vec<i64> {
    records(log).into_iter().map(|(offset, ..)| offset).collect()
}

pub(super) fn file_names(log: &Log, disk: &SimDisk) -> Vec<String> {
    use ottla_env::Disk;
    disk.list(log.path()).unwrap().into_iter().map(|entry| entry.name).collect()
}

#[test]
fn of_each_key_the_last_record_stays_at_its_offset() {
    let (disk, dir, mut log) = new_log(compacted());
    append(&mut log, keyed(&[("a", Some("1")), ("b", Some("1")), ("a", Some("2"))])).unwrap();
    append(&mut log, keyed(&[("b", Some("2"))])).unwrap();
    seal(&mut log);
    append(&mut log, keyed(&[("c", Some("1"))])).unwrap();
    append(&mut log, keyed(&[("a", Some("3"))])).unwrap();
    seal(&mut log);
    append(&mut log, keyed(&[("c", Some("2"))])).unwrap();
    assert_eq!(compact(&mut log, NOW).unwrap(), 1, "two segments become one");
    // The active segment is left alone, and its keys do not count yet.
    assert_eq!(offsets(&mut log), [3, 4, 5, 6]);
    assert_eq!(log.segments().count(), 2);
    assert_eq!(log.dirtiness(NOW, Offset(7)).unwrap().unwrap().cleanable_bytes, 0);
    assert!(compact(&mut log, NOW).unwrap() == 0, "it is clean");
    log.close().unwrap();
    dir.close(ottla_types::BrokerEpoch(1)).unwrap();
    while dir.run_deletions(9).unwrap() > 0 {}
    assert!(
        !file_names(&log, &disk).iter().any(|name| name.ends_with(".swap") || name.ends_with(".cleaned"))
    );
    drop((log, dir));
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), compacted(), NOW).unwrap();
    assert_eq!(offsets(&mut log), [3, 4, 5, 6]);
    assert_eq!(log.dirtiness(NOW, Offset(7)).unwrap().unwrap().first_dirty, Offset(6));
}

#[test]
fn every_offset_can_be_read_from_though_its_record_is_gone() {
    let (_disk, _dir, mut log) = new_log(compacted());
    for i in 0..60 {
        append(&mut log, keyed(&[(["a", "b", "c"][i % 3], Some(&"x".repeat(100)))])).unwrap();
    }
    seal(&mut log);
    append(&mut log, keyed(&[("d", Some("1"))])).unwrap();
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [57, 58, 59, 60]);
    for from in 0..=60 {
        let read = log.read(Offset(from), 1 << 20, Offset(61), true).unwrap();
        let first = batches(&read.load().unwrap()).next().unwrap().unwrap();
        assert!(first.last_offset().0 >= from && read.first_offset.unwrap().0 <= from.max(57), "{from}");
    }
    let by_time = log.offset_for_timestamp(NOW).unwrap().unwrap();
    assert_eq!(by_time.offset, Offset(57));
}

#[test]
fn what_was_compacted_can_be_read_when_the_topic_no_longer_is() {
    let (disk, dir, mut log) = new_log(compacted());
    for i in 0..30 {
        append(&mut log, keyed(&[(["a", "b", "c"][i % 3], Some(&"x".repeat(100)))])).unwrap();
    }
    seal(&mut log);
    append(&mut log, keyed(&[("a", Some("1"))])).unwrap();
    compact(&mut log, NOW).unwrap();
    log.close().unwrap();
    dir.close(ottla_types::BrokerEpoch(1)).unwrap();
    drop((log, dir));
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
    assert_eq!(offsets(&mut log), [27, 28, 29, 30]);
    // The first segment has but an empty batch left, its last.
    assert_eq!(log.read(Offset(3), 1 << 20, Offset(31), true).unwrap().first_offset, Some(Offset(22)));
}

#[test]
fn a_tombstone_stays_for_delete_retention_ms_after_it_was_first_cleaned() {
    let (_disk, _dir, mut log) = new_log(compacted());
    append(&mut log, keyed(&[("a", Some("1")), ("b", Some("1")), ("a", None)])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [1, 2]);
    let more = |log: &mut Log| {
        append(log, keyed(&[("x", Some("1"))])).unwrap();
        seal(log);
    };
    more(&mut log);
    compact(&mut log, NOW + DAY - 1).unwrap();
    assert_eq!(offsets(&mut log), [1, 2, 3]);
    let (_, _, timestamp) = (0, 0, log.max_timestamp_offset().unwrap().unwrap().timestamp_ms);
    assert_eq!(timestamp, NOW, "the horizon takes the place of the base timestamp, not of the records'");
    more(&mut log);
    compact(&mut log, NOW + DAY).unwrap();
    assert_eq!(offsets(&mut log), [1, 4]);
}

#[test]
fn the_last_batch_of_each_producer_stays_though_it_is_empty() {
    let (disk, dir, mut log) = new_log(compacted());
    let of = |producer, sequence, key| {
        let mut builder = BatchBuilder::new();
        builder.set_producer(ProducerId(producer), ProducerEpoch(0), sequence);
        keyed_by(builder, &[(key, Some("1"))])
    };
    append(&mut log, of(1, 0, "a")).unwrap();
    append(&mut log, of(1, 1, "a")).unwrap();
    append(&mut log, of(2, 0, "a")).unwrap();
    append(&mut log, of(3, 0, "b")).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [2, 3]);
    log.flush().unwrap();
    let snapshots = file_names(&log, &disk).into_iter().filter(|name| name.ends_with(".snapshot"));
    for name in snapshots.collect::<Vec<_>>() {
        ottla_env::Disk::remove_file(&disk, &log.path().join(name)).unwrap();
    }
    drop((log, dir));
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), compacted(), NOW).unwrap();
    assert_eq!(log.producer_count(), 3);
    assert!(append(&mut log, of(1, 1, "a")).unwrap().duplicate);
    assert!(append(&mut log, of(1, 5, "a")).is_err(), "2 is next");
    assert!(!append(&mut log, of(1, 2, "a")).unwrap().duplicate);
}

#[test]
fn aborted_records_go_at_once_and_markers_when_nothing_of_theirs_is_left() {
    let (disk, _dir, mut log) = new_log(compacted());
    append(&mut log, in_txn(1, 0, &[("a", Some("committed"))])).unwrap();
    append(&mut log, in_txn(2, 0, &[("a", Some("aborted")), ("b", Some("aborted"))])).unwrap();
    end_txn(&mut log, 1, true);
    end_txn(&mut log, 2, false);
    append(&mut log, keyed(&[("c", Some("1"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    // What was aborted does not replace what was committed. (Both producers are active.)
    let all: Vec<_> = records(&mut log).into_iter().map(|(offset, key, _)| (offset, key)).collect();
    let expected = [(0, "a"), (3, "marker"), (4, "marker"), (5, "c")].map(|(o, k)| (o, k.to_owned()));
    assert_eq!(all, expected);
    assert!(file_names(&log, &disk).contains(&"00000000000000000000.txnindex".to_owned()));
    // The abort marker waits for delete.retention.ms from the round on that found its transaction empty.
    append(&mut log, in_txn(2, 2, &[("z", Some("1"))])).unwrap();
    end_txn(&mut log, 2, true);
    append(&mut log, in_txn(1, 1, &[("a", Some("2"))])).unwrap();
    end_txn(&mut log, 1, true);
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [3, 4, 5, 6, 7, 8, 9]);
    append(&mut log, keyed(&[("d", Some("1"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW + 2 * DAY).unwrap();
    append(&mut log, keyed(&[("e", Some("1"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW + 4 * DAY).unwrap();
    assert_eq!(offsets(&mut log), [5, 6, 7, 8, 9, 10, 11]);
}

/// Kafka leaves nothing of the transaction, so that its marker gets a horizon in the second round.
#[test]
fn the_empty_batch_that_ends_a_segment_does_not_prolong_an_aborted_transaction() {
    let (_disk, _dir, mut log) = new_log(compacted());
    // So large that the next segment stays one of its own.
    append(&mut log, in_txn(1, 0, &[("a", Some(&"x".repeat(1000)))])).unwrap();
    append(&mut log, in_txn(1, 1, &[("b", Some(&"x".repeat(1000)))])).unwrap();
    seal(&mut log);
    end_txn(&mut log, 1, false);
    append(&mut log, in_txn(1, 2, &[("c", Some("1"))])).unwrap();
    end_txn(&mut log, 1, true);
    for i in 0..38 {
        append(&mut log, keyed(&[(&i.to_string(), Some("1"))])).unwrap();
    }
    seal(&mut log);
    append(&mut log, keyed(&[("d", Some("1"))])).unwrap();
    assert!(compact(&mut log, NOW).unwrap() > 0);
    let first = log.read(Offset(0), 1, Offset(100), true).unwrap().load().unwrap();
    let first = batches(&first).next().unwrap().unwrap();
    assert_eq!((first.records_count, first.last_offset(), first.has_producer_id()), (0, Offset(1), false));
    assert!(!first.attributes.is_transactional());
    let again = |log: &mut Log, now| {
        append(log, keyed(&[("e", Some("1"))])).unwrap();
        seal(log);
        compact(log, now).unwrap();
    };
    again(&mut log, NOW);
    assert!(offsets(&mut log).contains(&2), "its horizon begins");
    again(&mut log, NOW + DAY);
    assert!(!offsets(&mut log).contains(&2));
}

#[test]
fn an_open_transaction_holds_the_cleaner_back() {
    let (_disk, _dir, mut log) = new_log(compacted());
    append(&mut log, keyed(&[("a", Some("1"))])).unwrap();
    append(&mut log, keyed(&[("a", Some("2"))])).unwrap();
    seal(&mut log);
    append(&mut log, in_txn(1, 0, &[("a", Some("open"))])).unwrap();
    seal(&mut log);
    append(&mut log, keyed(&[("a", Some("3"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [1, 2, 3]);
    end_txn(&mut log, 1, true);
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log), [3, 4]);
}

#[test]
fn a_map_that_is_full_ends_the_round_early_and_the_next_goes_on() {
    let (_disk, _dir, mut log) = new_log(LogConfig { segment_bytes: 1 << 20, ..compacted() });
    for i in 0..3000 {
        append(&mut log, keyed(&[(&format!("k{}", i % 1500), Some("1"))])).unwrap();
    }
    seal(&mut log);
    let map = &mut OffsetMap::new(0, 1.0, [3; 16]);
    compact_with(&mut log, NOW, map).unwrap();
    let first = log.dirtiness(NOW, Offset(3000)).unwrap().unwrap().first_dirty.0;
    assert_eq!(first, 1024);
    for _ in 0..2 {
        compact_with(&mut log, NOW, map).unwrap();
    }
    assert_eq!(offsets(&mut log), (1500..3000).collect::<Vec<_>>());
}

#[test]
fn young_records_and_small_shares_are_left_alone() {
    let config = LogConfig { min_compaction_lag_ms: 1000, min_cleanable_dirty_ratio: 0.5, ..compacted() };
    let (_disk, _dir, mut log) = new_log(config.clone());
    append(&mut log, keyed(&[("a", Some("1"))])).unwrap();
    seal(&mut log);
    append(&mut log, keyed(&[("a", Some("2"))])).unwrap();
    let is_due = |log: &mut Log, now| log.dirtiness(now, Offset(100)).unwrap().unwrap().is_due();
    assert!(!is_due(&mut log, NOW + 999));
    assert!(is_due(&mut log, NOW + 1000));
    compact(&mut log, NOW + 1000).unwrap();
    seal(&mut log);
    assert!(!is_due(&mut log, NOW + 1000), "half is not more than half");
    log.update_config(LogConfig { max_compaction_lag_ms: 5000, ..config });
    assert!(!is_due(&mut log, NOW + 5000));
    assert!(is_due(&mut log, NOW + 5001));
}

#[test]
fn a_damaged_batch_is_reported_and_nothing_is_swapped() {
    let (disk, _dir, mut log) = new_log(compacted());
    for _ in 0..3 {
        append(&mut log, keyed(&[("a", Some("1"))])).unwrap();
    }
    seal(&mut log);
    let path = log.path().join("00000000000000000000.log");
    let file = ottla_env::Disk::open(&disk, &path, ottla_env::OpenOptions::WRITE).unwrap();
    file.write_all_at(b"!", 67).unwrap();
    let error = compact(&mut log, NOW).unwrap_err().to_string();
    assert!(error.contains("00000000000000000000.log") && error.contains("position 0"), "{error}");
    assert_eq!(log.segments().count(), 2);
}

#[test]
fn a_replica_of_what_was_compacted_once_keeps_it_under_any_policy() {
    let (_, _, mut leader) = new_log(compacted());
    for i in 0..8 {
        append(&mut leader, keyed(&[(["a", "b"][i % 2], Some("v"))])).unwrap();
        append(&mut leader, keyed(&[("c", Some("v"))])).unwrap();
    }
    seal(&mut leader);
    compact(&mut leader, NOW).unwrap();
    let kept = offsets(&mut leader);
    let read = leader.read(Offset(0), 1 << 20, Offset(16), true).unwrap().load().unwrap();
    for policy in [small(), compacted()] {
        let (disk, dir, mut follower) = new_log(policy.clone());
        follower.append_as_follower(&read, NOW).unwrap();
        follower.flush().unwrap();
        assert_eq!(offsets(&mut follower), kept);
        drop((follower, dir));
        disk.crash();
        let (dir, _) = open_dir(&disk);
        let mut follower = dir.open_log(&partition("t"), policy.clone(), NOW).unwrap();
        assert_eq!(offsets(&mut follower), kept);
        follower.close().unwrap();
        drop((follower, dir));
        let (dir, _) = open_dir(&disk);
        assert_eq!(offsets(&mut dir.open_log(&partition("t"), policy, NOW).unwrap()), kept);
    }
}

#[test]
fn a_batch_of_more_keys_than_the_map_holds_is_cleaned_all_the_same() {
    let (_disk, _dir, mut log) = new_log(LogConfig { segment_bytes: 1 << 20, ..compacted() });
    let keys: Vec<String> = (0..3000).map(|i| format!("k{i}")).collect();
    let records: Vec<_> = keys.iter().map(|key| (key.as_str(), Some("1"))).collect();
    append(&mut log, keyed(&records)).unwrap();
    append(&mut log, keyed(&[("k1", Some("2"))])).unwrap();
    seal(&mut log);
    let map = &mut OffsetMap::new(0, 1.0, [3; 16]);
    for _ in 0..3 {
        compact_with(&mut log, NOW, map).unwrap();
    }
    assert_eq!(log.dirtiness(NOW, Offset(3001)).unwrap().unwrap().first_dirty, Offset(3001));
    assert_eq!(offsets(&mut log).len(), 3000);
}

#[test]
fn transactions_behind_what_was_swapped_in_are_found() {
    let (_disk, _dir, mut log) = new_log(LogConfig { segment_bytes: 300, ..compacted() });
    for _ in 0..4 {
        append(&mut log, keyed(&[("a", Some(&"x".repeat(100)))])).unwrap();
    }
    seal(&mut log);
    append(&mut log, in_txn(1, 0, &[("t", Some(&"x".repeat(100)))])).unwrap();
    end_txn(&mut log, 1, false);
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    append(&mut log, keyed(&[("a", Some("2"))])).unwrap();
    seal(&mut log);
    compact(&mut log, NOW).unwrap();
    assert_eq!(offsets(&mut log).last(), Some(&6));
}
