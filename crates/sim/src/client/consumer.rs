//! A consumer of one partition: from its start on, one fetch after the other.

use std::time::Duration;

use ottla_broker::Refused;
use ottla_history::{Dumped, Read};
use ottla_types::Offset;

use super::Leaders;
use crate::cx::{Cx, Timer};
use crate::message::{Address, Body, Message, Request, Response};

const TIMEOUT: Duration = Duration::from_millis(700);
const IDLE: Duration = Duration::from_millis(60);

/// See the module.
#[derive(Debug)]
pub(crate) struct Consumer {
    id: i32,
    pub(crate) partition: i32,
    brokers: i32,
    leaders: Leaders,
    pub(crate) position: Offset,
    fetching: Option<u64>,
}

impl Consumer {
    pub(crate) fn new(id: i32, partition: i32, brokers: i32) -> Self {
        let leaders = Leaders::default();
        Self { id, partition, brokers, leaders, position: Offset::ZERO, fetching: None }
    }

    pub(crate) fn address(&self) -> Address {
        Address::Client(self.id)
    }

    pub(crate) fn handle_timer(&mut self, cx: &mut Cx, timer: Timer) {
        match timer {
            Timer::Next => self.fetch(cx),
            Timer::Timeout(call) if self.leaders.is_answer(call) => {
                self.leaders.refresh(cx, self.address(), self.brokers);
            }
            Timer::Timeout(call) if self.fetching == Some(call) => {
                self.fetching = None;
                self.leaders.refresh(cx, self.address(), self.brokers);
                cx.remind(self.address(), IDLE, Timer::Next);
            }
            _ => {}
        }
    }

    pub(crate) fn handle_message(&mut self, cx: &mut Cx, message: Message) {
        let Body::Response(response) = message.body else { return };
        match response {
            Response::Leaders(told) if self.leaders.is_answer(message.call) => self.leaders.learn(told),
            Response::Fetched(answer) if self.fetching == Some(message.call) => {
                self.fetching = None;
                match answer {
                    Ok(read) => {
                        for record in Dumped::all_in(&read.records, self.position) {
                            let (partition, offset, value) = (self.partition, record.offset, record.value);
                            cx.history.reads.push(Read { partition, offset, value });
                            self.position = offset.next();
                        }
                    }
                    // A new leader that does not know yet what is committed has it all the same.
                    Err(Refused::OffsetOutOfRange) => {}
                    Err(_) => self.leaders.refresh(cx, self.address(), self.brokers),
                }
                cx.remind(self.address(), IDLE, Timer::Next);
            }
            _ => {}
        }
    }

    fn fetch(&mut self, cx: &mut Cx) {
        let me = self.address();
        if self.fetching.is_some() {
            return;
        }
        let Some((leader, epoch)) = self.leaders.of(self.partition) else {
            if self.leaders.asked.is_none() {
                self.leaders.refresh(cx, me, self.brokers);
            }
            return cx.remind(me, IDLE, Timer::Next);
        };
        let request = Request::ConsumerFetch { partition: self.partition, epoch, from: self.position };
        self.fetching = Some(cx.call(me, Address::Broker(leader), TIMEOUT, request));
    }
}
