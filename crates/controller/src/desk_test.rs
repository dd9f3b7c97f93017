use std::time::Duration;

use ottla_metadata::plan::ProducerIdBlock;
use ottla_protocol::records::metadata::{ProducerIdsRecord, RemoveTopicRecord};
use ottla_types::{NodeId, Uuid};
use tokio::sync::Semaphore;

use super::*;
use crate::testing::FakeLog;

struct Fixture {
    desk: Desk,
    log: Arc<FakeLog>,
    published: Arc<Published>,
}

fn fixture() -> Fixture {
    let published = Published::new();
    let log = FakeLog::new(&published);
    let (desk, clerk) = Desk::new(log.clone(), Arc::clone(&published), Settings::default(), Box::new(|| 4));
    tokio::spawn(clerk);
    Fixture { desk, log, published }
}

fn count(image: &MetadataImage) -> i64 {
    image.producer_ids.next.0
}

fn record(next_producer_id: i64) -> MetadataRecord {
    ProducerIdsRecord { next_producer_id, ..Default::default() }.into()
}

/// Raises a number by one and returns what it is then.
fn raise(cx: PlanContext<'_>) -> Decision<i64> {
    let answer = count(cx.image) + 1;
    Decision { records: vec![record(answer)], answer }
}

fn read(cx: PlanContext<'_>) -> Decision<i64> {
    Decision::unchanged(count(cx.image))
}

#[tokio::test]
async fn an_answer_leaves_when_its_records_are_applied() {
    let f = fixture();
    assert_eq!(f.desk.decide(raise).await, Ok(1));
    assert_eq!(count(&f.published.image()), 1);
    assert_eq!(
        f.published.image().features.level("metadata.version"),
        30,
        "the first batch founds the cluster"
    );
}

#[tokio::test]
async fn requests_that_wait_share_a_proposal_and_see_each_other() {
    let f = fixture();
    f.log.gate.forget_permits(Semaphore::MAX_PERMITS);
    let spawn = |plan: fn(PlanContext<'_>) -> Decision<i64>| {
        let desk = f.desk.clone();
        tokio::spawn(async move { desk.decide(plan).await })
    };
    let first = spawn(raise);
    while *f.log.proposals.lock() == 0 {
        tokio::task::yield_now().await;
    }
    let waiting = [spawn(raise), spawn(raise), spawn(read)];
    while f.desk.jobs.capacity() + waiting.len() > MAX_WAITING {
        tokio::task::yield_now().await;
    }
    f.log.gate.add_permits(2);
    assert_eq!(first.await.unwrap(), Ok(1));
    for (answer, expected) in waiting.into_iter().zip([2, 3, 3]) {
        assert_eq!(answer.await.unwrap(), Ok(expected));
    }
    assert_eq!(*f.log.proposals.lock(), 2);
}

#[tokio::test]
async fn what_was_not_committed_is_forgotten() {
    let f = fixture();
    for (failure, expected) in [
        (
            ProposeError::NotLeader { leader: Some(NodeId(2)) },
            ControllerError::NotActive { leader: Some(NodeId(2)) },
        ),
        (ProposeError::Unavailable, ControllerError::NotActive { leader: None }),
        (ProposeError::Unknown, ControllerError::Unknown),
        (ProposeError::TooLarge { size: 9, max: 8 }, ControllerError::TooLarge { size: 9, max: 8 }),
    ] {
        *f.log.failure.lock() = Some(failure);
        assert_eq!(f.desk.decide(raise).await, Err(expected));
    }
    *f.log.failure.lock() = None;
    assert_eq!(f.desk.decide(raise).await, Ok(1));
}

#[tokio::test]
async fn a_node_that_does_not_lead_decides_nothing() {
    let f = fixture();
    f.log.lead(None);
    assert_eq!(f.desk.decide(raise).await, Err(ControllerError::NotActive { leader: Some(NodeId(2)) }));
    assert_eq!(*f.log.proposals.lock(), 0);
}

#[tokio::test]
async fn what_is_decided_without_records_is_not_told_by_a_node_that_may_have_been_replaced() {
    let f = fixture();
    f.desk.decide(raise).await.unwrap();
    assert_eq!(f.desk.decide(read).await, Ok(1));
    f.log.is_cut_off.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(f.desk.decide(read).await, Err(ControllerError::NotActive { leader: None }));
}

#[tokio::test]
async fn a_batch_behind_another_leaders_is_refused() {
    let f = fixture();
    assert_eq!(f.desk.decide(raise).await, Ok(1));
    f.log.gate.forget_permits(Semaphore::MAX_PERMITS);
    let desk = f.desk.clone();
    let late = tokio::spawn(async move { desk.decide(raise).await });
    while *f.log.proposals.lock() < 2 {
        tokio::task::yield_now().await;
    }
    let image = f.published.image();
    f.log.commit(&encode_batch(&image.features, image.offset.next(), &[record(9)]).unwrap());
    f.log.gate.add_permits(1);
    assert_eq!(late.await.unwrap(), Err(ControllerError::NotActive { leader: None }));
    assert_eq!(count(&f.published.image()), 9);
}

#[tokio::test]
async fn a_faulty_decision_costs_only_itself() {
    let f = fixture();
    let unfit = |_: PlanContext<'_>| {
        let record = RemoveTopicRecord { topic_id: Uuid::METADATA_TOPIC, ..Default::default() };
        Decision { records: vec![record.into()], answer: () }
    };
    assert!(matches!(f.desk.decide(unfit).await, Err(ControllerError::Failed(_))));
    let panics = |_: PlanContext<'_>| -> Decision<ProducerIdBlock> { panic!("a fault, on purpose") };
    assert!(matches!(f.desk.decide(panics).await, Err(ControllerError::Failed(_))));
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), f.desk.decide(raise)).await, Ok(Ok(1)));
}

#[tokio::test]
async fn what_is_too_much_for_one_proposal_takes_several() {
    let f = fixture();
    let many = |_: PlanContext<'_>| Decision { records: (1..=45_001).map(record).collect(), answer: () };
    assert_eq!(f.desk.decide(many).await, Ok(()));
    assert_eq!(*f.log.proposals.lock(), 3);
    assert_eq!(count(&f.published.image()), 45_001);
    assert_eq!(f.published.image().offset, Offset(45_003), "with the records that found the cluster");
}
