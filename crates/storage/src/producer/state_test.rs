use ottla_records::{Attributes, BatchHeader, EndTxnMarker};
use ottla_types::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

use super::*;

fn batch(offset: i64, sequence: i32, count: i32) -> BatchHeader {
    BatchHeader {
        base_offset: Offset(offset),
        length: 49,
        partition_leader_epoch: LeaderEpoch(0),
        crc: 0,
        attributes: Attributes::default(),
        last_offset_delta: count - 1,
        base_timestamp: 100,
        max_timestamp: 100,
        producer_id: ProducerId(9),
        producer_epoch: ProducerEpoch(0),
        base_sequence: sequence,
        records_count: count,
    }
}

fn check(producers: &Producers, header: &BatchHeader) -> Result<(), AppendError> {
    producers.check(header, AppendOrigin::Client)
}

fn epoch(header: BatchHeader, epoch: i16) -> BatchHeader {
    BatchHeader { producer_epoch: ProducerEpoch(epoch), ..header }
}

fn transactional(header: BatchHeader) -> BatchHeader {
    BatchHeader { attributes: header.attributes.with_transactional(true), ..header }
}

fn marker(commit: bool, coordinator_epoch: i32) -> EndTxnMarker {
    EndTxnMarker { commit, coordinator_epoch }
}

#[test]
fn sequences_follow_each_other() {
    let mut producers = Producers::default();
    check(&producers, &batch(0, 17, 3)).expect("an unknown producer may start anywhere");
    producers.wrote(&batch(0, 17, 3));
    check(&producers, &batch(3, 20, 1)).unwrap();
    for gap in [0, 18, 19, 21] {
        let error = check(&producers, &batch(3, gap, 1)).unwrap_err();
        assert!(matches!(error, AppendError::OutOfOrderSequence { last: 19, found, .. } if found == gap));
    }
    producers.check(&batch(3, 50, 1), AppendOrigin::Coordinator).expect("only clients are held to it");
}

#[test]
fn sequences_wrap_to_0() {
    let mut producers = Producers::default();
    producers.wrote(&batch(0, i32::MAX - 1, 2));
    check(&producers, &batch(2, 0, 1)).unwrap();
    producers.wrote(&batch(2, 0, 1));
    assert!(producers.duplicate_of(&batch(9, i32::MAX - 1, 2)).is_some());
    producers.wrote(&batch(3, i32::MAX, 3));
    let wrapped = producers.duplicate_of(&batch(9, i32::MAX, 3)).unwrap();
    assert_eq!((wrapped.first_offset(), wrapped.last_sequence), (3, 1));
}

#[test]
fn the_last_five_batches_are_known_again() {
    let mut producers = Producers::default();
    for i in 0..6 {
        producers.wrote(&batch(i64::from(i) * 2, i * 2, 2));
    }
    for i in 1..6 {
        let found = producers.duplicate_of(&batch(99, i * 2, 2)).unwrap();
        assert_eq!(found.first_offset(), i64::from(i) * 2);
    }
    assert!(producers.duplicate_of(&batch(99, 0, 2)).is_none(), "the sixth back is forgotten");
    assert!(producers.duplicate_of(&batch(99, 2, 1)).is_none(), "the same start, another length");
    assert!(producers.duplicate_of(&epoch(batch(99, 2, 2), 1)).is_none());
}

#[test]
fn an_epoch_fences_older_ones_and_starts_at_0() {
    let mut producers = Producers::default();
    producers.wrote(&epoch(batch(0, 0, 1), 2));
    assert!(matches!(
        check(&producers, &epoch(batch(1, 1, 1), 1)),
        Err(AppendError::InvalidProducerEpoch { current: ProducerEpoch(2), .. })
    ));
    assert!(check(&producers, &epoch(batch(1, 1, 1), 3)).is_err());
    check(&producers, &epoch(batch(1, 0, 1), 3)).unwrap();
}

#[test]
fn a_transaction_holds_the_stable_offset_until_its_marker_is_replicated() {
    let mut producers = Producers::default();
    producers.wrote(&transactional(batch(10, 0, 2)));
    assert_eq!(producers.first_unstable_offset(), Some(10));
    assert!(matches!(check(&producers, &batch(12, 2, 1)), Err(AppendError::InvalidTxnState { .. })));
    let end = transactional(batch(12, -1, 1));
    producers.check_marker(&end, &marker(false, 4)).unwrap();
    assert_eq!(producers.wrote_marker(&end, &marker(false, 4)), Some((10, true)));
    assert_eq!(producers.first_unstable_offset(), Some(10));
    producers.on_high_watermark(12);
    assert_eq!(producers.first_unstable_offset(), Some(10));
    producers.on_high_watermark(13);
    assert_eq!(producers.first_unstable_offset(), None);
    assert!(matches!(
        producers.check_marker(&end, &marker(true, 3)),
        Err(AppendError::TransactionCoordinatorFenced { current: 4, .. })
    ));
}

#[test]
fn silent_producers_expire_unless_in_a_transaction() {
    let mut producers = Producers::default();
    producers.wrote(&batch(0, 0, 1));
    producers.wrote(&BatchHeader { producer_id: ProducerId(8), ..transactional(batch(1, 0, 1)) });
    producers.expire(149, 50);
    assert_eq!(producers.len(), 2);
    producers.expire(150, 50);
    assert!(producers.get(ProducerId(9)).is_none() && producers.get(ProducerId(8)).is_some());
}

#[test]
fn a_snapshot_brings_back_the_last_batch_and_the_transaction() {
    let mut producers = Producers::default();
    producers.wrote(&batch(0, 0, 3));
    producers.wrote(&BatchHeader { producer_id: ProducerId(8), ..transactional(batch(3, 7, 1)) });
    let bytes = producers.to_snapshot();
    let again = Producers::from_snapshot(&bytes).unwrap();
    assert_eq!(again.to_snapshot(), bytes);
    assert!(again.duplicate_of(&batch(9, 0, 3)).is_some());
    assert_eq!(again.first_unstable_offset(), Some(3));
    for i in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[i] ^= 1;
        assert!(Producers::from_snapshot(&damaged).is_none(), "byte {i}");
        assert!(Producers::from_snapshot(&bytes[..i]).is_none(), "{i} bytes");
    }
}
