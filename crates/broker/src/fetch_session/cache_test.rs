use std::time::Duration;

use ottla_env::{Monotonic, SeededRng};
use ottla_types::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};

use super::*;

const EVICT_AFTER: Duration = Duration::from_secs(120);

fn sessions(max: usize) -> FetchSessions {
    FetchSessions::new(max, EVICT_AFTER, Box::new(SeededRng::new(1)))
}

fn at(seconds: u64) -> Monotonic {
    Monotonic::default() + Duration::from_secs(seconds)
}

fn key(partition: i32) -> PartitionKey {
    PartitionKey {
        topic_id: TopicId::ZERO,
        topic: TopicName::from("t"),
        partition: PartitionIndex(partition),
    }
}

fn want(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition {
        key: key(partition),
        fetch_offset: Offset(offset),
        max_bytes: 1024,
        current_leader_epoch: LeaderEpoch::NONE,
        last_fetched_epoch: LeaderEpoch::NONE,
        log_start_offset: Offset::NONE,
    }
}

fn idle(high_watermark: i64) -> Answered {
    Answered { high_watermark, log_start_offset: 0, has_records: false, must_send: false }
}

fn numbers(context: &FetchContext) -> Vec<i32> {
    context.partitions.iter().map(|p| p.key.partition.0).collect()
}

#[test]
fn a_new_session_answers_everything_then_only_changes() {
    let cache = sessions(10);
    let first = cache.context(at(0), 0, 0, false, vec![want(0, 0), want(1, 0)], &[]).unwrap();
    assert_ne!(first.session_id, 0);
    assert!(first.includes(&key(0), idle(5)) && first.includes(&key(1), idle(5)));

    let second = cache.context(at(1), first.session_id, 1, false, vec![], &[]).unwrap();
    assert_eq!(numbers(&second), [0, 1]);
    assert!(!second.includes(&key(0), idle(5)), "nothing changed");
    assert!(second.includes(&key(1), idle(6)), "the high watermark moved");
}

#[test]
fn partitions_with_records_go_to_the_end() {
    let cache = sessions(10);
    let first = cache.context(at(0), 0, 0, false, vec![want(0, 0), want(1, 0), want(2, 0)], &[]).unwrap();
    first.includes(&key(0), Answered { has_records: true, ..idle(5) });
    let second = cache.context(at(1), first.session_id, 1, false, vec![want(0, 5)], &[]).unwrap();
    assert_eq!(numbers(&second), [1, 2, 0]);
}

#[test]
fn an_error_is_sent_until_it_is_gone_and_then_once_more() {
    let cache = sessions(10);
    let id = cache.context(at(0), 0, 0, false, vec![want(0, 0)], &[]).unwrap().session_id;
    let failed = Answered { must_send: true, ..idle(-1) };
    for epoch in 1..3 {
        assert!(cache.context(at(1), id, epoch, false, vec![], &[]).unwrap().includes(&key(0), failed));
    }
    assert!(cache.context(at(1), id, 3, false, vec![], &[]).unwrap().includes(&key(0), idle(4)));
    assert!(!cache.context(at(1), id, 4, false, vec![], &[]).unwrap().includes(&key(0), idle(4)));
}

#[test]
fn forgotten_partitions_leave_and_an_empty_session_closes() {
    let cache = sessions(10);
    let id = cache.context(at(0), 0, 0, false, vec![want(0, 0), want(1, 0)], &[]).unwrap().session_id;
    let context = cache.context(at(1), id, 1, false, vec![], &[key(0)]).unwrap();
    assert_eq!(numbers(&context), [1]);
    let context = cache.context(at(1), id, 2, false, vec![], &[key(1)]).unwrap();
    assert_eq!((context.session_id, context.partitions.len()), (0, 0));
    assert_eq!(cache.counts(), (0, 0));
}

#[test]
fn sessions_that_cannot_go_on_are_refused() {
    let cache = sessions(10);
    let id = cache.context(at(0), 0, 0, true, vec![want(0, 0)], &[]).unwrap().session_id;
    let refused = |session, epoch, ids, partitions| {
        cache.context(at(1), session, epoch, ids, partitions, &[]).map(|_| ()).unwrap_err()
    };
    assert_eq!(refused(id, 2, true, vec![]), FetchSessionError::InvalidEpoch { id, expected: 1, found: 2 });
    assert_eq!(refused(id, 1, false, vec![want(0, 0)]), FetchSessionError::TopicIds { id });
    assert_eq!(refused(id + 1, 1, true, vec![]), FetchSessionError::NotFound { id: id + 1 });
}

#[test]
fn the_final_epoch_closes_the_session() {
    let cache = sessions(10);
    let id = cache.context(at(0), 0, 0, false, vec![want(0, 0)], &[]).unwrap().session_id;
    let context = cache.context(at(1), id, -1, false, vec![want(0, 0)], &[]).unwrap();
    assert_eq!((context.session_id, context.partitions.len()), (0, 1));
    assert_eq!(cache.counts(), (0, 0));
}

#[test]
fn a_full_cache_evicts_only_idle_sessions() {
    let cache = sessions(1);
    let open = |seconds| cache.context(at(seconds), 0, 0, false, vec![want(0, 0)], &[]).unwrap().session_id;
    let first = open(0);
    assert_ne!(first, 0);
    assert_eq!(open(1), 0, "the only slot is in use");
    let second = open(EVICT_AFTER.as_secs());
    assert!(second != 0 && second != first);
    assert_eq!(cache.counts(), (1, 1));
}

#[test]
fn epochs_wrap_past_the_reserved_ones() {
    assert_eq!(Session::next_epoch_after(i32::MAX), 1);
    assert_eq!(Session::next_epoch_after(1), 2);
}

#[test]
fn partitions_of_all_sessions_together_are_bounded() {
    let cache = FetchSessions { max_partitions: 3, ..sessions(10) };
    let open = |wanted| cache.context(at(0), 0, 0, false, wanted, &[]).unwrap().session_id;
    let first = open(vec![want(0, 0), want(1, 0)]);
    assert_eq!(open(vec![want(0, 0), want(1, 0)]), 0, "served without a session");
    let second = open(vec![want(2, 0)]);
    assert_eq!(cache.counts(), (2, 3));
    let grown = cache.context(at(1), second, 1, false, vec![want(3, 0)], &[]).map(|_| ());
    assert_eq!(grown.unwrap_err(), FetchSessionError::NotFound { id: second });
    assert_eq!(cache.counts(), (1, 2));
    cache.context(at(1), first, 1, false, vec![], &[key(0)]).unwrap();
    assert_eq!(cache.counts(), (1, 1));
}
