//! Facts about batches, and what broken ones meet.

use bytes::{Bytes, BytesMut};
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::compression::{Compression, compress, decompress};
use crate::layout::{HEADER_LEN, LENGTH, PREFIX_LEN, RECORDS_COUNT};
use crate::{
    BatchBuilder, BatchView, Codec, Keys, Record, RecordHeader, RecordsError, TimestampType, add_sequence,
    batches, legacy, patch,
};

const LIMIT: usize = 1 << 20;

fn batch(codec: Codec, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new().compression(codec);
    for (i, value) in values.iter().enumerate() {
        builder.append(1_000 + i as i64, Some(b"k"), Some(value.as_bytes()), &[]).unwrap();
    }
    builder.build().unwrap()
}

fn values(batch: &BatchView) -> Vec<Bytes> {
    batch.records(LIMIT).unwrap().map(|r| r.unwrap().value.unwrap()).collect()
}

#[test]
fn batches_are_walked_without_copying() {
    let mut log = BytesMut::new();
    log.extend_from_slice(&batch(Codec::None, &["a", "b"]));
    log.extend_from_slice(&batch(Codec::Zstd, &["c"]));
    let log = log.freeze();
    let views: Vec<_> = batches(&log).map(Result::unwrap).collect();
    assert_eq!(views.iter().map(values).collect::<Vec<_>>(), [vec!["a", "b"], vec!["c"]]);
    let inside = log.as_ptr_range();
    assert!(views.iter().all(|v| inside.contains(&v.bytes().as_ptr())));
    assert!(inside.contains(&values(&views[0])[0].as_ptr()));
}

#[test]
fn a_cut_off_last_batch_ends_the_walk() {
    let one = batch(Codec::None, &["a"]);
    let two = Bytes::from([&one[..], &one[..one.len() - 1]].concat());
    let mut walk = batches(&two);
    assert!(walk.next().unwrap().is_ok());
    assert!(walk.next().is_none());
    assert_eq!(walk.rest().len(), one.len() - 1);
}

#[test]
fn patching_the_prefix_keeps_the_crc() {
    let original = BatchView::parse(&batch(Codec::Lz4, &["a", "b"])).unwrap();
    let prefix = patch::prefix(&original, Offset(500), LeaderEpoch(9));
    let bytes = Bytes::from([&prefix[..], &original.bytes()[PREFIX_LEN..]].concat());
    let patched = BatchView::parse(&bytes).unwrap();
    patched.check_crc().unwrap();
    assert_eq!((patched.base_offset, patched.next_offset()), (Offset(500), Offset(502)));
    assert_eq!(patched.partition_leader_epoch, LeaderEpoch(9));
    let mut in_place = original.bytes().to_vec();
    patch::set_offset_and_epoch(&mut in_place, Offset(500), LeaderEpoch(9));
    assert_eq!(in_place, bytes);
}

#[test]
fn log_append_time_is_every_records_timestamp() {
    for codec in Codec::ALL {
        let original = BatchView::parse(&batch(codec, &["a", "b"])).unwrap();
        let header = patch::log_append_time_header(&original, Offset(3), LeaderEpoch(1), 77_777);
        let bytes = Bytes::from([&header[..], &original.payload()[..]].concat());
        let patched = BatchView::parse(&bytes).unwrap();
        patched.check_crc().unwrap();
        assert_eq!(patched.attributes.timestamp_type(), TimestampType::LogAppendTime);
        let times: Vec<_> = patched.records(LIMIT).unwrap().map(|r| r.unwrap().timestamp).collect();
        assert_eq!(times, [77_777, 77_777]);
    }
}

#[test]
fn a_retry_under_a_new_epoch_is_a_valid_batch() {
    let bytes =
        patch::with_producer(&batch(Codec::Gzip, &["a"]), ProducerId(5), ProducerEpoch(1), 0).unwrap();
    let patched = BatchView::parse(&bytes).unwrap();
    patched.check_crc().unwrap();
    assert_eq!((patched.producer_id, patched.producer_epoch), (ProducerId(5), ProducerEpoch(1)));
}

#[test]
fn compaction_keeps_offsets_even_of_an_empty_batch() {
    let mut builder = BatchBuilder::new().base_offset(Offset(10));
    builder.set_producer(ProducerId(1), ProducerEpoch(2), 30);
    for i in 0..5 {
        builder.append(1_000 + i, Some(b"k"), Some(b"v"), &[]).unwrap();
    }
    let original = BatchView::parse(&builder.build().unwrap()).unwrap();
    let mut kept = BatchBuilder::replacing(&original).unwrap();
    for record in original.records(LIMIT).unwrap().map(Result::unwrap).filter(|r| r.offset.0 % 2 == 1) {
        kept.append_record(&record).unwrap();
    }
    let kept = BatchView::parse(&kept.build().unwrap()).unwrap();
    let offsets: Vec<_> =
        kept.records(LIMIT).unwrap().map(|r| r.map(|r| (r.offset.0, r.timestamp)).unwrap()).collect();
    assert_eq!(offsets, [(11, 1_001), (13, 1_003)]);
    assert_eq!((kept.last_offset(), kept.last_sequence()), (Offset(14), 34));
    assert_eq!((kept.max_timestamp, original.max_timestamp), (1_003, 1_004), "of what is left");

    let empty = BatchView::parse(&BatchBuilder::emptied(&original)).unwrap();
    empty.check_crc().unwrap();
    assert_eq!((empty.size(), empty.records_count, empty.next_offset()), (61, 0, Offset(15)));
    assert_eq!((empty.last_sequence(), empty.producer_id), (34, ProducerId(1)));
    assert_eq!((empty.delete_horizon(), empty.max_timestamp), (None, 1_004));
    assert_eq!(empty.records(LIMIT).unwrap().count(), 0);
}

#[test]
fn sequences_wrap_to_zero() {
    assert_eq!(add_sequence(i32::MAX, 1), 0);
    assert_eq!(add_sequence(i32::MAX - 1, 3), 1);
    assert_eq!(add_sequence(5, 2), 7);
}

#[test]
fn damage_fails_the_crc() {
    let good = batch(Codec::None, &["a"]);
    for at in HEADER_LEN - 40..good.len() {
        let mut bad = good.to_vec();
        bad[at] ^= 1;
        let parsed = BatchView::parse(&bad.into()).unwrap();
        assert!(matches!(parsed.check_crc(), Err(RecordsError::Crc { .. })), "byte {at}");
    }
}

#[test]
fn lengths_below_the_header_are_refused() {
    for length in [i32::MIN, -1, 0, 48] {
        let mut bad = batch(Codec::None, &["a"]).to_vec();
        bad[LENGTH..LENGTH + 4].copy_from_slice(&length.to_be_bytes());
        let bad = Bytes::from(bad);
        assert!(BatchView::parse(&bad).is_err());
        let mut walk = batches(&bad);
        assert!(walk.next().unwrap().is_err());
        assert!(walk.next().is_none());
    }
}

#[test]
fn a_wrong_count_is_found() {
    for count in [1, 3, i32::MAX, 0, -1, i32::MIN] {
        let mut bad = batch(Codec::None, &["a", "b"]).to_vec();
        bad[RECORDS_COUNT..RECORDS_COUNT + 4].copy_from_slice(&count.to_be_bytes());
        let bad = BatchView::parse(&bad.into()).unwrap();
        assert!(bad.validate_from_client().is_err(), "{count}");
        assert!(bad.validate_framing(Keys::Optional, None).is_err(), "{count}");
        if count >= 0 {
            assert!(bad.records(LIMIT).unwrap().any(|r| r.is_err()), "{count}");
        }
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![0; 8 << 20];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut bomb = Vec::new();
        compress(codec.into(), &zeros, &mut bomb).unwrap();
        let bomb = Bytes::from(bomb);
        let refused = decompress(codec, &bomb, zeros.len() - 1);
        assert!(matches!(refused, Err(RecordsError::TooLarge { .. })), "{codec}: {refused:?}");
        assert_eq!(decompress(codec, &bomb, zeros.len()).unwrap().len(), zeros.len(), "{codec}");
    }
}

#[test]
fn a_snappy_block_that_claims_gigabytes_reserves_nothing() {
    // Varint 2³² − 1, then nothing.
    let claim = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
    assert!(decompress(Codec::Snappy, &claim, usize::MAX).is_err());
}

#[test]
fn snappy_is_read_bare_and_in_several_streams() {
    let bare = snap::raw::Encoder::new().compress_vec(b"from librdkafka").unwrap();
    assert_eq!(decompress(Codec::Snappy, &bare.into(), LIMIT).unwrap(), "from librdkafka");
    let mut two = Vec::new();
    compress(Codec::Snappy.into(), b"one ", &mut two).unwrap();
    compress(Codec::Snappy.into(), b"two", &mut two).unwrap();
    assert_eq!(decompress(Codec::Snappy, &two.into(), LIMIT).unwrap(), "one two");
}

#[test]
fn levels_are_honoured() {
    let text = "the quick brown fox ".repeat(500);
    for (codec, level) in [(Codec::Gzip, 1), (Codec::Gzip, 9), (Codec::Zstd, -5), (Codec::Zstd, 19)] {
        let mut out = Vec::new();
        compress(Compression { codec, level: Some(level) }, text.as_bytes(), &mut out).unwrap();
        assert_eq!(decompress(codec, &out.into(), LIMIT).unwrap(), text.as_bytes());
    }
}

fn header() -> impl Strategy<Value = RecordHeader> {
    (vec(any::<u8>(), 0..9), option::of(vec(any::<u8>(), 0..20)))
        .prop_map(|(key, value)| RecordHeader { key: key.into(), value: value.map(Bytes::from) })
}

fn record() -> impl Strategy<Value = Record> {
    let bytes = || option::of(vec(any::<u8>(), 0..200)).prop_map(|b| b.map(Bytes::from));
    (any::<i64>(), bytes(), bytes(), vec(header(), 0..4)).prop_map(|(timestamp, key, value, headers)| {
        Record { offset: Offset::ZERO, timestamp, key, value, headers }
    })
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        mut records in vec(record(), 1..20),
        codec in proptest::sample::select(&Codec::ALL[..]),
        base in 0..i64::MAX / 2,
    ) {
        let mut builder = BatchBuilder::new().compression(codec).base_offset(Offset(base));
        for (i, record) in records.iter_mut().enumerate() {
            record.offset = Offset(base + i as i64);
            builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &record.headers)?;
        }
        let bytes = builder.build()?;
        let view = BatchView::parse(&bytes)?;
        view.check_crc()?;
        view.validate_from_client()?;
        view.validate_framing(Keys::Optional, Some(LIMIT))?;
        let read: Result<Vec<_>, _> = view.records(LIMIT)?.collect();
        prop_assert_eq!(read?, records);
        prop_assert_eq!(&view.header().to_bytes()[..], &bytes[..HEADER_LEN]);
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in vec(any::<u8>(), 0..300), magic in 0..4_u8, length in 0..320_i32) {
        if let Some(slot) = bytes.get_mut(8..12) {
            slot.copy_from_slice(&length.to_be_bytes());
        }
        if let Some(slot) = bytes.get_mut(16) {
            *slot = magic;
        }
        let bytes = Bytes::from(bytes);
        for view in batches(&bytes).flatten() {
            let _ = (view.check_crc(), view.validate_from_client());
            let _ = view.validate_framing(Keys::Required, Some(LIMIT));
            if let Ok(records) = view.records(LIMIT) {
                records.for_each(drop);
            }
        }
        let _ = legacy::message(&bytes, LIMIT);
    }

    #[test]
    fn damaged_records_never_panic(
        records in vec(record(), 1..5),
        codec in proptest::sample::select(&Codec::ALL[..]),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut builder = BatchBuilder::new().compression(codec);
        for r in &records {
            builder.append(r.timestamp, r.key.as_deref(), r.value.as_deref(), &r.headers)?;
        }
        let mut bytes = builder.build()?.to_vec();
        for (at, with) in flips {
            let at = HEADER_LEN + at.index(bytes.len() - HEADER_LEN);
            bytes[at] ^= with;
        }
        let view = BatchView::parse(&bytes.into())?;
        let _ = view.validate_framing(Keys::Optional, Some(LIMIT));
        if let Ok(records) = view.records(LIMIT) {
            records.for_each(drop);
        }
    }

    #[test]
    fn random_compressed_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        let bytes = Bytes::from(bytes);
        for codec in Codec::ALL {
            let _ = decompress(codec, &bytes, LIMIT);
        }
    }
}
