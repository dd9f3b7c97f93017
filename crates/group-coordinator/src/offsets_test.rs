use super::*;

fn committed(offset: i64, record_offset: i64) -> CommittedOffset {
    CommittedOffset {
        offset: Offset(offset),
        leader_epoch: LeaderEpoch::NONE,
        metadata: ByteString::new(),
        commit_timestamp_ms: 0,
        expire_timestamp_ms: None,
        topic_id: TopicId::ZERO,
        record_offset: Offset(record_offset),
    }
}

fn t() -> TopicPartition {
    TopicPartition::new("t", PartitionIndex(0))
}

fn offset(offsets: &Offsets) -> Option<i64> {
    offsets.get("g", "t", PartitionIndex(0)).map(|committed| committed.offset.get())
}

const P: Option<ProducerId> = Some(ProducerId(1));
const Q: Option<ProducerId> = Some(ProducerId(2));

#[test]
fn the_last_commit_counts() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(None, "g".into(), t(), committed(5, 0));
    offsets.replay_commit(None, "g".into(), t(), committed(3, 1));
    assert_eq!((offset(&offsets), offsets.len()), (Some(3), 1));
    offsets.replay_tombstone(&"g".into(), &t());
    offsets.replay_tombstone(&"g".into(), &t());
    assert_eq!(offsets, Offsets::default());
}

#[test]
fn a_transactions_offset_counts_from_its_commit_on() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(P, "g".into(), t(), committed(5, 0));
    assert_eq!((offset(&offsets), offsets.is_pending("g", &t())), (None, true));
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!((offset(&offsets), offsets.has_pending("g")), (Some(5), false));
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!(offsets.len(), 1);
}

#[test]
fn an_aborted_transactions_offset_never_counts() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(P, "g".into(), t(), committed(5, 0));
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Abort);
    assert_eq!(offsets, Offsets::default());
}

#[test]
fn a_transaction_that_ends_late_does_not_override_a_newer_record() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(P, "g".into(), t(), committed(5, 0));
    offsets.replay_commit(None, "g".into(), t(), committed(9, 1));
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!(offset(&offsets), Some(9));
}

#[test]
fn transactions_of_two_producers_are_apart() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(P, "g".into(), t(), committed(5, 0));
    offsets.replay_commit(Q, "g".into(), t(), committed(6, 1));
    offsets.replay_transaction_end(ProducerId(2), TransactionResult::Abort);
    assert!(offsets.is_pending("g", &t()));
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!((offset(&offsets), offsets.is_pending("g", &t())), (Some(5), false));
}

#[test]
fn a_tombstone_removes_what_transactions_would_commit() {
    let mut offsets = Offsets::default();
    offsets.replay_commit(P, "g".into(), t(), committed(5, 0));
    offsets.replay_tombstone(&"g".into(), &t());
    offsets.replay_transaction_end(ProducerId(1), TransactionResult::Commit);
    assert_eq!(offsets, Offsets::default());
}
