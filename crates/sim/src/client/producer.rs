//! A producer: one batch at a time. With idempotence it sends a batch until it is acknowledged; without it once.

use std::time::Duration;

use ottla_broker::Refused;
use ottla_history::{Outcome, Send, Value};
use ottla_types::{Bytes, Offset};

use super::Leaders;
use crate::cx::{Cx, Timer};
use crate::message::{Address, Body, Failure, Message, Request, Response};
use crate::values::batch;

const TIMEOUT: Duration = Duration::from_millis(1500);
const RETRY: Duration = Duration::from_millis(40);

/// What is promised to a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// acks=all, deduplicated.
    Idempotent,
    /// acks=all.
    Plain,
    /// acks=1.
    Leader,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Producer {
    id: i32,
    kind: Kind,
    brokers: i32,
    leaders: Leaders,
    /// Next sequence number, by partition.
    sequences: Vec<i32>,
    producer_id: i64,
    numbers: u64,
    outstanding: Option<Outstanding>,
    /// Sends nothing new.
    pub(crate) stopped: bool,
    /// How many batches were acknowledged.
    pub(crate) acknowledged: u64,
}

#[derive(Debug)]
struct Outstanding {
    partition: i32,
    records: Bytes,
    /// In the history, from the first on.
    sends: std::ops::Range<usize>,
    call: Option<u64>,
}

impl Producer {
    pub(crate) fn new(id: i32, kind: Kind, brokers: i32, partitions: usize) -> Self {
        Self {
            id,
            kind,
            brokers,
            leaders: Leaders::default(),
            sequences: vec![0; partitions],
            producer_id: i64::from(id) * 1000,
            numbers: 0,
            outstanding: None,
            stopped: false,
            acknowledged: 0,
        }
    }

    pub(crate) fn address(&self) -> Address {
        Address::Client(self.id)
    }

    /// Whether it waits for nothing.
    pub(crate) fn is_idle(&self) -> bool {
        self.outstanding.is_none()
    }

    pub(crate) fn handle_timer(&mut self, cx: &mut Cx, timer: Timer) {
        match timer {
            Timer::Next => self.next(cx),
            Timer::Timeout(call) if self.leaders.is_answer(call) => {
                self.leaders.refresh(cx, self.address(), self.brokers);
            }
            Timer::Timeout(call) if self.is_outstanding(call) => {
                self.refresh(cx);
                self.ended_without_answer(cx);
            }
            _ => {}
        }
    }

    pub(crate) fn handle_message(&mut self, cx: &mut Cx, message: Message) {
        let Body::Response(response) = message.body else { return };
        match response {
            Response::Leaders(told) if self.leaders.is_answer(message.call) => self.leaders.learn(told),
            Response::Produced(answer) if self.is_outstanding(message.call) => match answer {
                Ok(offset) => self.end(cx, |i| Outcome::Ok(Offset(offset.0 + i))),
                Err(failure) => self.failed(cx, failure),
            },
            _ => {}
        }
    }

    fn is_outstanding(&self, call: u64) -> bool {
        self.outstanding.as_ref().is_some_and(|outstanding| outstanding.call == Some(call))
    }

    fn refresh(&mut self, cx: &mut Cx) {
        self.leaders.refresh(cx, self.address(), self.brokers);
    }

    fn next(&mut self, cx: &mut Cx) {
        match &self.outstanding {
            None if !self.stopped => self.begin(cx),
            // It waits for an answer.
            None | Some(Outstanding { call: Some(_), .. }) => {}
            Some(Outstanding { call: None, .. }) => self.transmit(cx),
        }
    }

    fn begin(&mut self, cx: &mut Cx) {
        let partition = cx.between(0, self.sequences.len() as u64) as i32;
        let count = cx.between(1, 4);
        let values: Vec<Value> =
            (self.numbers..self.numbers + count).map(|n| Value(self.id as u32, n)).collect();
        self.numbers += count;
        let idempotent = self.kind == Kind::Idempotent;
        let Some(sequence) = self.sequences.get_mut(partition as usize) else { return };
        let producer = idempotent.then_some((self.producer_id, *sequence));
        *sequence += count as i32;
        let Some(records) = batch(&values, producer, cx.wall_ms()) else { return };
        let first = cx.history.sends.len();
        for value in values {
            cx.history.sends.push(Send {
                partition,
                value,
                idempotent,
                all: self.kind != Kind::Leader,
                invoked: cx.now,
                ended: Duration::MAX,
                outcome: Outcome::Unknown,
                out_of_order: false,
            });
        }
        let sends = first..cx.history.sends.len();
        self.outstanding = Some(Outstanding { partition, records, sends, call: None });
        self.transmit(cx);
    }

    fn transmit(&mut self, cx: &mut Cx) {
        let me = self.address();
        let Some(outstanding) = &mut self.outstanding else { return };
        let Some((leader, _)) = self.leaders.of(outstanding.partition) else {
            if self.leaders.asked.is_none() {
                self.leaders.refresh(cx, me, self.brokers);
            }
            return cx.remind(me, RETRY, Timer::Next);
        };
        let request = Request::Produce {
            partition: outstanding.partition,
            records: outstanding.records.clone(),
            all: self.kind != Kind::Leader,
            idempotent: self.kind == Kind::Idempotent,
        };
        outstanding.call = Some(cx.call(me, Address::Broker(leader), TIMEOUT, request));
    }

    fn failed(&mut self, cx: &mut Cx, failure: Failure) {
        match failure {
            Failure::OutOfOrder { is_current: false } => {
                self.refresh(cx);
                self.again(cx);
            }
            Failure::OutOfOrder { is_current: true } => {
                for send in self.sends(cx) {
                    send.out_of_order = true;
                }
                // As Kafka's client does, it goes on under another id.
                self.producer_id += 1;
                self.sequences.fill(0);
                self.end(cx, |_| Outcome::Unknown);
            }
            Failure::Refused(reason) => {
                cx.counts.add("refused");
                if reason != Refused::NotEnoughReplicas {
                    self.refresh(cx);
                }
                match self.kind {
                    Kind::Idempotent => self.again(cx),
                    Kind::Plain | Kind::Leader if matches!(reason, Refused::Other(_)) => {
                        self.end(cx, |_| Outcome::Unknown);
                    }
                    Kind::Plain | Kind::Leader => self.end(cx, |_| Outcome::Failed),
                }
            }
            Failure::Unknown(_) => {
                self.refresh(cx);
                self.ended_without_answer(cx);
            }
        }
    }

    fn ended_without_answer(&mut self, cx: &mut Cx) {
        if self.kind == Kind::Idempotent {
            return self.again(cx);
        }
        cx.counts.add("unknown outcomes");
        self.end(cx, |_| Outcome::Unknown);
    }

    /// The same batch, a little later.
    fn again(&mut self, cx: &mut Cx) {
        cx.counts.add("retries");
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.call = None;
        }
        cx.remind(self.address(), RETRY, Timer::Next);
    }

    fn sends<'a>(&self, cx: &'a mut Cx) -> &'a mut [Send] {
        let range = self.outstanding.as_ref().map_or(0..0, |outstanding| outstanding.sends.clone());
        cx.history.sends.get_mut(range).unwrap_or_default()
    }

    fn end(&mut self, cx: &mut Cx, outcome: impl Fn(i64) -> Outcome) {
        let now = cx.now;
        let mut is_ok = false;
        for (i, send) in (0..).zip(self.sends(cx)) {
            (send.ended, send.outcome) = (now, outcome(i));
            is_ok = matches!(send.outcome, Outcome::Ok(_));
        }
        if is_ok {
            self.acknowledged += 1;
            cx.counts.add("acknowledged");
        }
        self.outstanding = None;
        let wait = Duration::from_millis(cx.between(20, 120));
        cx.remind(self.address(), wait, Timer::Next);
    }
}
