//! Facts about batching, order and numbering.

use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_records::BatchView;
use ottla_types::{NodeId, Offset, ProducerEpoch, ProducerId, TopicPartition};
use tokio::time::Instant;

use super::accumulator::{Accumulator, Attempt, Ready};
use super::batch::Identity;
use super::config::ProducerConfig;
use super::delivery::Written;
use super::record::ProducerRecord;
use crate::ClientError;

const MS: Duration = Duration::from_millis(1);

struct Fixture {
    accumulator: Accumulator,
    now: Instant,
    partition: TopicPartition,
}

impl Fixture {
    fn new(config: ProducerConfig) -> Self {
        let mut accumulator = Accumulator::new(config, 100 * MS);
        accumulator.set_identity(Identity { id: ProducerId(7), epoch: ProducerEpoch(0) });
        Self { accumulator, now: Instant::now(), partition: TopicPartition::new("t", 0) }
    }

    /// One whose first batch, of one record, brokers have acknowledged.
    fn known(config: ProducerConfig) -> Self {
        let mut fixture = Self::new(config);
        fixture.batch("first");
        let first = fixture.one();
        fixture.succeed(first);
        fixture
    }

    fn append(&mut self, value: &'static str) -> super::accumulator::Appended {
        let record = ProducerRecord::new("t").value(value);
        self.accumulator.append(self.now, &self.partition, 0, &record, None).unwrap()
    }

    /// A batch of its own.
    fn batch(&mut self, value: &'static str) {
        self.append(value);
        self.accumulator.flush();
    }

    fn drain(&mut self) -> Vec<Ready> {
        self.drain_to(NodeId(1))
    }

    fn drain_to(&mut self, leader: NodeId) -> Vec<Ready> {
        self.accumulator.prepare(self.now).unwrap();
        let drained = self.accumulator.drain(self.now, |_| Some(leader), |_| true);
        drained.by_node.into_values().flatten().collect()
    }

    fn one(&mut self) -> Ready {
        let mut ready = self.drain();
        assert_eq!(ready.len(), 1);
        ready.remove(0)
    }

    fn fail(&mut self, ready: Ready, code: ErrorCode) {
        let error = ClientError::broker("t", code, None);
        self.accumulator.complete(self.now, &ready.partition, ready.batch, Attempt::Failed(error));
    }

    fn succeed(&mut self, ready: Ready) {
        let written = Written { base_offset: Some(Offset(5)), append_time: None };
        self.accumulator.complete(self.now, &ready.partition, ready.batch, Attempt::Written(written));
    }
}

fn stamp(ready: &Ready) -> (i16, i32) {
    let view = BatchView::parse(&ready.bytes).unwrap();
    view.check_crc().unwrap();
    (view.producer_epoch.0, view.base_sequence)
}

fn values(ready: &Ready) -> Vec<String> {
    let view = BatchView::parse(&ready.bytes).unwrap();
    view.records(1 << 20)
        .unwrap()
        .map(|r| String::from_utf8(r.unwrap().value.unwrap().to_vec()).unwrap())
        .collect()
}

#[tokio::test]
async fn records_wait_for_linger_and_travel_together() {
    let mut f = Fixture::new(ProducerConfig { linger: 5 * MS, ..Default::default() });
    assert!(f.append("a").wake);
    assert!(!f.append("b").wake);
    assert!(f.drain().is_empty());
    f.now += 5 * MS;
    assert_eq!(values(&f.one()), ["a", "b"]);
    assert!(f.drain().is_empty());
}

#[tokio::test]
async fn a_full_batch_does_not_linger() {
    let mut f = Fixture::new(ProducerConfig { batch_size: 100, linger: 500 * MS, ..Default::default() });
    f.append("12345678901234567890");
    f.append("12345678901234567890");
    assert_eq!(values(&f.one()).len(), 1);
    assert!(f.drain().is_empty());
}

#[tokio::test]
async fn sequences_count_records() {
    let mut f = Fixture::known(ProducerConfig::default());
    f.append("a");
    f.append("b");
    f.accumulator.flush();
    f.batch("c");
    assert_eq!(stamp(&f.one()), (0, 1));
    assert_eq!(stamp(&f.one()), (0, 3));
}

#[tokio::test]
async fn nothing_is_sent_without_an_identity() {
    let mut f = Fixture::new(ProducerConfig::default());
    f.accumulator = Accumulator::new(ProducerConfig::default(), MS);
    assert!(!f.accumulator.needs_identity());
    f.batch("a");
    assert!(f.accumulator.needs_identity());
    assert!(f.drain().is_empty());
}

#[tokio::test]
async fn a_retry_keeps_order_and_sequence() {
    let mut f = Fixture::known(ProducerConfig::default());
    ["a", "b", "c"].into_iter().for_each(|v| f.batch(v));
    let (a, b) = (f.one(), f.one());
    f.fail(a, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    assert!(f.drain().is_empty(), "b is still in flight, and c must stay behind a");
    f.fail(b, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert!(f.drain().is_empty(), "a pause comes before the retry");
    f.now += 100 * MS;
    let sent: Vec<_> = (0..3).map(|_| f.one()).map(|r| (values(&r).remove(0), stamp(&r))).collect();
    assert_eq!(sent, [("a".into(), (0, 1)), ("b".into(), (0, 2)), ("c".into(), (0, 3))]);
}

/// The former leader has written a, and its answer is lost. Were more than five batches acknowledged by the next one meanwhile,
/// it would not know a as a repetition any more.
#[tokio::test]
async fn a_new_leader_gets_nothing_while_the_former_one_owes_an_answer() {
    let mut f = Fixture::known(ProducerConfig::default());
    ["a", "b"].into_iter().for_each(|v| f.batch(v));
    let a = f.one();
    assert!(f.drain_to(NodeId(2)).is_empty());
    f.fail(a, ErrorCode::NETWORK_EXCEPTION);
    f.now += 100 * MS;
    let sent: Vec<_> = (0..2).flat_map(|_| f.drain_to(NodeId(2))).collect();
    let sent: Vec<_> = sent.iter().map(|r| (values(r).remove(0), stamp(r))).collect();
    assert_eq!(sent, [("a".into(), (0, 1)), ("b".into(), (0, 2))]);
}

/// Brokers know the last five batches of a producer again: one that fails over and over must not get older than that.
#[tokio::test]
async fn what_comes_back_is_never_followed_by_more_than_a_broker_remembers() {
    let mut f = Fixture::known(ProducerConfig::default());
    for _ in 0..20 {
        f.batch("x");
    }
    let mut behind = 0;
    for _ in 0..10 {
        let mut sent: Vec<_> = (0..5).flat_map(|_| f.drain()).collect();
        let first = sent.remove(0);
        assert_eq!(stamp(&first), (0, 1), "the oldest goes first");
        behind += sent.len();
        sent.into_iter().for_each(|batch| f.succeed(batch));
        f.fail(first, ErrorCode::REQUEST_TIMED_OUT);
        f.now += 100 * MS;
    }
    assert_eq!(behind, 4);
    let first = f.one();
    f.succeed(first);
    assert_eq!(stamp(&f.one()), (0, 6), "and on it goes");
}

/// A broker that does not know the producer takes whatever comes first. If it refused the first batch because it did not lead
/// yet, and leads when the second arrives, the second would lie before the first.
#[tokio::test]
async fn the_first_batch_of_a_numbering_goes_alone() {
    let mut f = Fixture::new(ProducerConfig::default());
    ["a", "b", "c"].into_iter().for_each(|v| f.batch(v));
    let a = f.one();
    assert!(f.drain().is_empty());
    f.fail(a, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    f.now += 100 * MS;
    let a = f.one();
    assert_eq!((values(&a).remove(0), stamp(&a)), ("a".into(), (0, 0)));
    assert!(f.drain().is_empty());
    f.succeed(a);
    let (b, c) = (f.one(), f.one());
    assert_eq!((stamp(&b), stamp(&c)), ((0, 1), (0, 2)));
    // The broker lost track: all over again.
    f.fail(b, ErrorCode::UNKNOWN_PRODUCER_ID);
    f.fail(c, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    f.now += 100 * MS;
    let b = f.one();
    assert_eq!((values(&b).remove(0), stamp(&b)), ("b".into(), (1, 0)));
    assert!(f.drain().is_empty());
}

#[tokio::test]
async fn a_broker_that_lost_track_meets_a_new_epoch() {
    let mut f = Fixture::new(ProducerConfig::default());
    ["a", "b"].into_iter().for_each(|v| f.batch(v));
    let a = f.one();
    f.succeed(a);
    let b = f.one();
    f.fail(b, ErrorCode::UNKNOWN_PRODUCER_ID);
    f.now += 100 * MS;
    let b = f.one();
    assert_eq!((values(&b), stamp(&b)), (vec!["b".to_owned()], (1, 0)));
}

#[tokio::test]
async fn a_lost_batch_leaves_no_gap() {
    let mut f = Fixture::new(ProducerConfig::default());
    ["a", "b"].into_iter().for_each(|v| f.batch(v));
    let a = f.one();
    let outcome = std::sync::Arc::clone(&a.batch.outcome);
    f.fail(a, ErrorCode::MESSAGE_TOO_LARGE);
    assert!(outcome.wait().await.is_err());
    assert_eq!(stamp(&f.one()), (1, 0));
}

#[tokio::test]
async fn a_record_fails_when_its_time_is_up() {
    let mut f = Fixture::new(ProducerConfig { delivery_timeout: 300 * MS, ..Default::default() });
    let outcome = f.append("a").outcome;
    f.accumulator.flush();
    let a = f.one();
    f.fail(a, ErrorCode::NOT_ENOUGH_REPLICAS);
    f.now += 300 * MS;
    assert!(f.drain().is_empty());
    let error = outcome.wait().await.unwrap_err();
    assert!(error.to_string().contains("delivering to t-0 took longer than 300ms"), "{error}");
}

#[tokio::test]
async fn at_most_five_are_in_flight() {
    let mut f = Fixture::known(ProducerConfig::default());
    (0..7).for_each(|_| f.batch("x"));
    let sent: Vec<_> = (0..7).flat_map(|_| f.drain()).collect();
    assert_eq!(sent.len(), 5);
}

#[tokio::test]
async fn offsets_follow_the_batch() {
    let mut f = Fixture::new(ProducerConfig::default());
    f.append("a");
    let second = f.append("b");
    f.accumulator.flush();
    let ready = f.one();
    f.succeed(ready);
    let written = second.outcome.wait().await.unwrap();
    assert_eq!((written.base_offset, second.index), (Some(Offset(5)), 1));
}

#[tokio::test]
async fn a_dropped_batch_tells_who_waits() {
    let mut f = Fixture::new(ProducerConfig::default());
    let outcome = f.append("a").outcome;
    drop(f.accumulator);
    assert!(matches!(outcome.wait().await, Err(ClientError::Closed { .. })));
}
