use ottla_types::Bytes;

use super::*;
use crate::effects::Effects;

/// A number that requests add to. `Park` waits for a timer.
#[derive(Debug, Default)]
struct Sum {
    durable: u64,
    offset: i64,
    handled: u64,
    parked: Vec<RequestId>,
}

enum Ask {
    Add(u8),
    Park,
    Read,
    Ping,
}

impl Shard for Sum {
    type Request = Ask;
    type Response = Result<u64, Failure>;
    type Timer = &'static str;
    type Undo = ();

    fn handle(&mut self, now: Now, id: RequestId, request: Ask) -> EffectsOf<Self> {
        let mut out = Effects::none();
        match request {
            Ask::Add(n) => {
                self.handled += 1;
                out.records.push(KeyValueRecord { key: Bytes::new(), value: Some(vec![n].into()) });
                out.reply(id, Ok(self.durable + u64::from(n)));
                out.undo = Some(());
            }
            Ask::Park => {
                self.parked.push(id);
                out.set_timer("wake", now.monotonic + Duration::from_nanos(10));
            }
            Ask::Read => out.reply(id, Ok(self.durable)),
            Ask::Ping => out.reply_now(id, Ok(0)),
        }
        out
    }

    fn timer(&mut self, now: Now, _: &'static str) -> EffectsOf<Self> {
        let mut out = Effects::none();
        for id in self.parked.drain(..) {
            out.reply(id, Ok(self.durable));
        }
        out.set_timer("wake", now.monotonic);
        out
    }

    fn replay(
        &mut self,
        at: Offset,
        _: Option<ProducerId>,
        record: &KeyValueRecord,
    ) -> Result<(), ReplayError> {
        let Some(n) = record.value.as_ref().and_then(|value| value.first()) else {
            return Err(ReplayError { offset: at, reason: "empty".to_owned() });
        };
        self.durable += u64::from(*n);
        self.offset = at.get();
        Ok(())
    }

    fn loaded(&mut self, _: Now) -> EffectsOf<Self> {
        Effects::none()
    }

    fn resumed(&mut self, now: Now) -> EffectsOf<Self> {
        let mut out = Effects::none();
        if !self.parked.is_empty() {
            out.set_timer("wake", now.monotonic + Duration::from_nanos(10));
        }
        out
    }

    fn append_failed(&mut self, _: Now, failed: EffectsOf<Self>, failure: &Failure) -> EffectsOf<Self> {
        if failed.undo.is_some() {
            self.handled -= 1;
        }
        failed.failed(|| Self::refuse(failure))
    }

    fn unload(&mut self) -> EffectsOf<Self> {
        let mut out = Effects::none();
        for id in self.parked.drain(..) {
            out.reply_now(id, Err(Failure::Unloaded));
        }
        out
    }

    fn refuse(failure: &Failure) -> Self::Response {
        Err(failure.clone())
    }
}

/// A log of one replica or, with `lag`, one whose high watermark stands still.
#[derive(Default)]
struct FakeLog {
    end: i64,
    hw: i64,
    lag: bool,
    refuse: Option<Failure>,
}

impl ShardLog for FakeLog {
    fn append(&mut self, _: Now, records: &[KeyValueRecord]) -> Result<Appended, Failure> {
        if let Some(failure) = &self.refuse {
            return Err(failure.clone());
        }
        let base_offset = Offset(self.end);
        self.end += records.len() as i64;
        if !self.lag {
            self.hw = self.end;
        }
        Ok(Appended { base_offset })
    }
    fn log_end_offset(&self) -> Offset {
        Offset(self.end)
    }
    fn high_watermark(&self) -> Offset {
        Offset(self.hw)
    }
}

fn at(ns: u64) -> Now {
    Now { monotonic: Monotonic(ns), wall_ms: 0 }
}

fn hosted() -> HostedShard<Sum> {
    HostedShard::new(Sum::default(), Duration::from_nanos(100))
}

#[test]
fn a_reply_waits_for_the_high_watermark_and_the_next_decision_does_not() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    assert!(hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap().is_empty());
    assert!(hosted.handle(at(0), &mut log, RequestId(2), Ask::Add(3)).unwrap().is_empty());
    assert_eq!(hosted.release(Offset(1)), [(RequestId(1), Ok(2))]);
    assert_eq!(hosted.release(Offset(2)), [(RequestId(2), Ok(5))], "decided on the uncommitted 2");
}

#[test]
fn a_read_waits_for_what_it_saw_and_a_heartbeat_does_not() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap();
    assert!(hosted.handle(at(0), &mut log, RequestId(2), Ask::Read).unwrap().is_empty());
    assert_eq!(hosted.handle(at(0), &mut log, RequestId(3), Ask::Ping).unwrap(), [(RequestId(3), Ok(0))]);
    assert_eq!(hosted.release(Offset(1)), [(RequestId(1), Ok(2)), (RequestId(2), Ok(2))]);
}

#[test]
fn on_a_committed_log_replies_leave_at_once() {
    let (mut hosted, mut log) = (hosted(), FakeLog::default());
    assert_eq!(hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap(), [(RequestId(1), Ok(2))]);
    assert_eq!(hosted.handle(at(0), &mut log, RequestId(2), Ask::Read).unwrap(), [(RequestId(2), Ok(2))]);
}

#[test]
fn a_failed_append_changes_nothing_and_answers_at_once() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap();
    log.refuse = Some(Failure::NotEnoughReplicas);
    assert_eq!(
        hosted.handle(at(0), &mut log, RequestId(2), Ask::Add(3)).unwrap(),
        [(RequestId(2), Err(Failure::NotEnoughReplicas))]
    );
    assert_eq!((hosted.shard().durable, hosted.shard().handled), (2, 1));
    log.refuse = None;
    hosted.handle(at(0), &mut log, RequestId(3), Ask::Add(1)).unwrap();
    assert_eq!((hosted.shard().durable, hosted.shard().offset), (3, 1));
}

#[test]
fn a_timer_that_sets_itself_to_now_does_not_hold_the_host() {
    let (mut hosted, mut log) = (hosted(), FakeLog::default());
    hosted.handle(at(0), &mut log, RequestId(1), Ask::Park).unwrap();
    assert_eq!(hosted.next_deadline(), Some(Monotonic(10)));
    assert!(hosted.fire(at(9), &mut log).unwrap().is_empty());
    assert_eq!(hosted.fire(at(10), &mut log).unwrap(), [(RequestId(1), Ok(0))]);
    assert_eq!(hosted.next_deadline(), Some(Monotonic(10)));
    assert!(hosted.fire(at(10), &mut log).unwrap().is_empty());
}

#[test]
fn whoever_could_not_reach_the_shard_has_its_whole_time_again() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap();
    hosted.handle(at(0), &mut log, RequestId(2), Ask::Park).unwrap();
    // Meanwhile nothing fires, but nobody waits for the log for ever.
    assert_eq!(hosted.expire(at(100)), [(RequestId(1), Err(Failure::CommitTimedOut))]);
    assert!(hosted.resume(at(100), &mut log).unwrap().is_empty());
    assert_eq!(hosted.next_deadline(), Some(Monotonic(110)));
}

#[test]
fn a_reply_that_is_not_acknowledged_in_time_is_given_up_but_its_decision_stands() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    hosted.handle(at(5), &mut log, RequestId(1), Ask::Add(2)).unwrap();
    assert_eq!(hosted.next_deadline(), Some(Monotonic(105)));
    assert_eq!(hosted.fire(at(105), &mut log).unwrap(), [(RequestId(1), Err(Failure::CommitTimedOut))]);
    assert!(hosted.release(Offset(1)).is_empty());
    assert_eq!(hosted.shard().durable, 2);
}

#[test]
fn unloading_answers_the_parked_and_the_uncommitted() {
    let (mut hosted, mut log) = (hosted(), FakeLog { lag: true, ..FakeLog::default() });
    hosted.handle(at(0), &mut log, RequestId(1), Ask::Add(2)).unwrap();
    hosted.handle(at(0), &mut log, RequestId(2), Ask::Park).unwrap();
    let unloaded = Err(Failure::Unloaded);
    assert_eq!(hosted.unload(), [(RequestId(2), unloaded.clone()), (RequestId(1), unloaded)]);
}

#[test]
fn loading_replays_the_log_and_an_unreadable_record_fails_it() {
    let mut hosted = hosted();
    let record = |n: u8| KeyValueRecord { key: Bytes::new(), value: Some(vec![n].into()) };
    hosted.load(Offset(7), None, &record(4)).unwrap();
    hosted.load(Offset(9), None, &record(1)).unwrap();
    assert_eq!((hosted.shard().durable, hosted.shard().offset), (5, 9));
    let error =
        hosted.load(Offset(10), None, &KeyValueRecord { key: Bytes::new(), value: None }).unwrap_err();
    assert_eq!(error.offset, Offset(10));
}
