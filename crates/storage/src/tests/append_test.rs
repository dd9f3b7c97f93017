//! What a leader accepts.

use ottla_records::{Codec, TimestampType};
use ottla_types::Offset;

use super::*;
use crate::{CompressionType, RecordValidation};

fn check(config: LogConfig, records: Bytes) -> Result<AppendInfo, AppendError> {
    append(&mut new_log(config).2, records)
}

fn compressed(codec: Codec, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new().compression(codec);
    for value in values {
        builder.append(NOW, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.build().unwrap()
}

fn stored(log: &mut Log) -> ottla_records::BatchView {
    let end = log.log_end_offset();
    let bytes = log.read(Offset(0), 1 << 20, end, true).unwrap().load().unwrap();
    let view = batches(&bytes).next().unwrap().unwrap();
    view.check_crc().unwrap();
    view
}

#[test]
fn exactly_one_batch() {
    let two = [batch(&["a"]), batch(&["b"])].concat();
    for records in [Bytes::new(), two.into()] {
        assert!(matches!(check(small(), records), Err(AppendError::InvalidRecord { .. })));
    }
}

#[test]
fn bytes_that_are_no_batch() {
    let good = batch(&["a"]);
    for cut in [1, 16, 60, good.len() - 1] {
        assert!(matches!(check(small(), good.slice(..cut)), Err(AppendError::Corrupt(_))), "{cut}");
    }
    let mut flipped = good.to_vec();
    flipped[good.len() - 2] ^= 1;
    assert!(matches!(check(small(), flipped.into()), Err(AppendError::Corrupt(_))));
    let mut old = good.to_vec();
    old[16] = 1;
    assert!(matches!(check(small(), old.into()), Err(AppendError::UnsupportedFormat { magic: 1 })));
}

#[test]
fn sizes_are_bounded() {
    let records = batch(&["a"]);
    let size = records.len() as u64;
    let config = LogConfig { max_message_bytes: size - 1, ..small() };
    assert!(matches!(check(config, records.clone()), Err(AppendError::MessageTooLarge { .. })));
    let config = LogConfig { segment_bytes: size - 1, ..small() };
    assert!(matches!(check(config, records.clone()), Err(AppendError::BatchTooLarge { .. })));
    check(LogConfig { max_message_bytes: size, segment_bytes: size, ..small() }, records).unwrap();
}

#[test]
fn a_refused_batch_leaves_no_trace() {
    let (_disk, _dir, mut log) = new_log(small());
    append(&mut log, batch(&["a"])).unwrap();
    append(&mut log, Bytes::from_static(b"nonsense")).unwrap_err();
    append(&mut log, from_producer(1, 0, 0, &["b"])).unwrap();
    append(&mut log, from_producer(1, 0, 5, &["x"])).unwrap_err();
    append(&mut log, from_producer(1, 0, 1, &["c"])).unwrap();
    assert_eq!(values(&mut log, 0).len(), 3);
}

#[test]
fn a_batch_sent_twice_is_stored_once() {
    let (disk, dir, mut log) = new_log(small());
    for sequence in 0..6 {
        append(&mut log, from_producer(1, 0, sequence, &["v"])).unwrap();
    }
    let again = append(&mut log, from_producer(1, 0, 3, &["v"])).unwrap();
    assert!(again.duplicate && again.base_offset == Offset(3) && again.bytes == 0);
    assert!(matches!(
        append(&mut log, from_producer(1, 0, 0, &["v"])),
        Err(AppendError::OutOfOrderSequence { found: 0, last: 5, .. })
    ));
    log.flush().unwrap();
    drop((log, dir));
    disk.crash();
    let (dir, _) = open_dir(&disk);
    let mut log = dir.open_log(&partition("t"), small(), NOW).unwrap();
    assert!(append(&mut log, from_producer(1, 0, 5, &["v"])).unwrap().duplicate, "known after a crash");
    assert_eq!(log.log_end_offset(), Offset(6));
}

#[test]
fn the_broker_stamps_its_time_where_the_topic_says_so() {
    let config = LogConfig { timestamp_type: TimestampType::LogAppendTime, ..small() };
    let (_disk, _dir, mut log) = new_log(config);
    let info = append(&mut log, batch_at(5, &["a", "b"])).unwrap();
    assert_eq!((info.log_append_time_ms, info.max_timestamp_ms), (NOW, NOW));
    let view = stored(&mut log);
    assert_eq!(view.attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert!(view.records(1000).unwrap().all(|r| r.unwrap().timestamp == NOW));
    let by_time = log.offset_for_timestamp(NOW).unwrap().unwrap();
    assert_eq!((by_time.offset, by_time.timestamp_ms), (Offset(0), NOW));
}

#[test]
fn timestamps_out_of_bounds_are_blamed_one_by_one() {
    let config = LogConfig { timestamp_before_max_ms: 2, timestamp_after_max_ms: 3, ..small() };
    check(config.clone(), batch_at(NOW - 2, &["a", "b", "c", "d", "e", "f"])).unwrap();
    let error = check(config, batch_at(NOW - 3, &["a", "b", "c", "d", "e", "f", "g", "h"])).unwrap_err();
    let AppendError::InvalidTimestamp { earliest, latest, record_errors } = error else { panic!("{error}") };
    assert_eq!((earliest, latest), (NOW - 2, NOW + 3));
    assert_eq!(record_errors.iter().map(|e| e.batch_index).collect::<Vec<_>>(), [0, 7]);
}

#[test]
fn compacted_topics_want_keys() {
    let config = LogConfig { cleanup_compact: true, ..small() };
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new().compression(codec);
        builder.append(NOW, Some(b"k"), Some(b"v"), &[]).unwrap();
        builder.append(NOW, None, Some(b"v"), &[]).unwrap();
        let error = check(config.clone(), builder.build().unwrap()).unwrap_err();
        let AppendError::InvalidRecord { record_errors, .. } = error else { panic!("{error}") };
        assert_eq!(record_errors.iter().map(|e| e.batch_index).collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn the_topics_codec_replaces_the_producers() {
    for target in Codec::ALL {
        for source in Codec::ALL {
            let config = LogConfig { compression: CompressionType::Codec(target), ..small() };
            let (_disk, _dir, mut log) = new_log(config);
            append(&mut log, compressed(source, &["a", "b"])).unwrap();
            assert_eq!(stored(&mut log).attributes.codec().unwrap(), target);
            assert_eq!(values(&mut log, 0), [(0, "a".into()), (1, "b".into())]);
        }
    }
    let (_disk, _dir, mut log) = new_log(small());
    append(&mut log, compressed(Codec::Zstd, &["a"])).unwrap();
    assert_eq!(stored(&mut log).attributes.codec().unwrap(), Codec::Zstd);
}

#[test]
fn a_batch_that_its_topics_codec_makes_too_large_is_refused() {
    let records = compressed(Codec::Gzip, &[&"x".repeat(10_000)]);
    let config = LogConfig {
        max_message_bytes: records.len() as u64,
        compression: CompressionType::Codec(Codec::None),
        ..small()
    };
    assert!(matches!(check(config, records), Err(AppendError::MessageTooLarge { size: 10_001.., .. })));
}

/// A compressed batch whose header claims `count` records, with a checksum to match.
fn claiming(count: i32) -> Bytes {
    let mut bytes = compressed(Codec::Gzip, &["a"]).to_vec();
    bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = ottla_records::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

#[test]
fn a_compressed_batch_that_claims_more_records_than_it_could_hold_is_refused() {
    for count in [i32::MAX, 100_000] {
        let refused = check(LogConfig::default(), claiming(count));
        assert!(matches!(refused, Err(AppendError::InvalidRecord { .. })), "{count}: {refused:?}");
    }
    // Not looked into: nobody is harmed by a few offsets without records.
    check(LogConfig::default(), claiming(3)).unwrap();
}

#[test]
fn full_validation_looks_into_compressed_records_up_to_a_bound() {
    let bomb = compressed(Codec::Gzip, &[&"x".repeat(100_000)]);
    let config = LogConfig { max_decompressed_bytes: 50_000, ..small() };
    check(config.clone(), bomb.clone()).unwrap();
    let full = LogConfig { record_validation: RecordValidation::Full, ..config };
    assert!(matches!(check(full, bomb), Err(AppendError::InvalidRecord { .. })));
}

#[test]
fn an_older_leader_is_fenced() {
    let (_disk, _dir, mut log) = new_log(small());
    log.append_as_leader(batch(&["a"]), &how(4)).unwrap();
    assert!(matches!(
        log.append_as_leader(batch(&["b"]), &how(3)),
        Err(AppendError::FencedLeaderEpoch { .. })
    ));
    assert_eq!(log.epoch_at(Offset(0)), Some(LeaderEpoch(4)));
}

#[test]
fn a_follower_takes_what_the_leader_has() {
    let (_disk, _dir, mut leader) = new_log(small());
    for i in 0..100 {
        leader.append_as_leader(batch(&[&format!("value {i}")]), &how(i / 30)).unwrap();
    }
    let (_disk, _dir, mut follower) = new_log(small());
    while follower.log_end_offset() < leader.log_end_offset() {
        let read = leader.read(follower.log_end_offset(), 900, Offset(100), true).unwrap();
        let mut bytes = read.load().unwrap().to_vec();
        bytes.extend(&batch(&["cut off"])[..50]);
        follower.append_as_follower(&bytes.into(), NOW).unwrap();
    }
    assert_eq!(values(&mut follower, 0), values(&mut leader, 0));
    for epoch in 0..5 {
        let epoch = LeaderEpoch(epoch);
        assert_eq!(follower.end_offset_for_epoch(epoch), leader.end_offset_for_epoch(epoch));
    }
    let old = leader.read(Offset(50), 100, Offset(100), true).unwrap().load().unwrap();
    assert!(matches!(
        follower.append_as_follower(&old, NOW),
        Err(AppendError::OffsetsOutOfOrder { expected: Offset(100), .. })
    ));
}
