//! Requests to a broker (in place of the handlers in `crates/broker/src/api`).

use ottla_broker::{BarePosition, BareRead, Refused};
use ottla_history::{Append, Led};
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset};

use super::fetcher::MAX_WAIT;
use super::{Broker, Hosted, Parked};
use crate::cx::{Cx, Timer};
use crate::message::{Address, Failure, Request, Response};

/// `max.partition.fetch.bytes`: small, so that a reader needs several fetches.
const MAX_BYTES: usize = 2000;

type Caller = (Address, u64);

impl Broker {
    pub(super) fn serve(&mut self, cx: &mut Cx, caller: Caller, request: Request) {
        let me = self.address();
        let response = match request {
            Request::Produce { partition, records, all, .. } => {
                match self.produce(cx, caller, partition, records, all) {
                    Some(response) => response,
                    None => return,
                }
            }
            Request::FollowerFetch { partition, id, epoch, position } => {
                match self.follower_fetch(cx, caller, partition, (id, epoch), position) {
                    Some(read) => Response::Fetched(read),
                    None => return,
                }
            }
            Request::ConsumerFetch { partition, epoch, from } => {
                Response::Fetched(self.consumer_fetch(cx, partition, epoch, from))
            }
            Request::LogStart { partition, epoch } => Response::LogStart(self.log_start(partition, epoch)),
            Request::Metadata => Response::Leaders(self.leaders(cx)),
            // For controllers.
            _ => return,
        };
        cx.answer(me, caller, response);
    }

    fn leading(&mut self, partition: i32) -> Result<&mut Hosted, Refused> {
        self.hosted(partition).ok_or(Refused::NotLeader)
    }

    fn consumer_fetch(
        &mut self,
        cx: &mut Cx,
        partition: i32,
        epoch: LeaderEpoch,
        from: Offset,
    ) -> Result<BareRead, Refused> {
        let hosted = self.leading(partition)?;
        let read = hosted.bare.fetch_as_consumer(epoch, from, MAX_BYTES)?;
        self.note_served(cx, partition);
        self.note_fetch(cx, partition, epoch);
        Ok(read)
    }

    /// The leadership that this broker believes to hold.
    fn led(&mut self, partition: i32) -> Option<Led> {
        let leader = NodeId(self.id);
        let epoch = self.hosted(partition)?.bare.look(|_, _, epoch| epoch);
        Some(Led { partition, epoch, leader })
    }

    fn note_served(&mut self, cx: &mut Cx, partition: i32) {
        if let Some(led) = self.led(partition) {
            cx.history.served.insert(led, cx.now);
        }
    }

    /// A fetch by the epoch `asked` was answered.
    fn note_fetch(&mut self, cx: &mut Cx, partition: i32, asked: LeaderEpoch) {
        if let Some(led) = self.led(partition).filter(|_| asked.is_some()) {
            cx.history.fetches.insert((led, asked));
        }
    }

    fn log_start(&mut self, partition: i32, epoch: LeaderEpoch) -> Result<Offset, Refused> {
        let hosted = self.leading(partition)?;
        let (start, known) = hosted.bare.look(|log, _, known| (log.log_start_offset(), known));
        if hosted.bare.is_leader() && known == epoch { Ok(start) } else { Err(Refused::NotLeader) }
    }

    /// `None` while the answer waits.
    fn produce(
        &mut self,
        cx: &mut Cx,
        caller: Caller,
        partition: i32,
        records: ottla_types::Bytes,
        all: bool,
    ) -> Option<Response> {
        let appended = self.leading(partition).and_then(|hosted| hosted.bare.append(records, all));
        if matches!(appended, Ok(_) | Err(Refused::OutOfOrderSequence)) {
            self.note_served(cx, partition);
        }
        let (offset, wait) = match appended {
            Ok(appended) => appended,
            Err(Refused::OutOfOrderSequence) => {
                let epoch = self.led(partition)?.epoch;
                let newest = cx.history.versions.iter().rev().find(|version| version.partition == partition);
                let is_current = newest.is_some_and(|version| version.state.leader_epoch == epoch);
                return Some(Response::Produced(Err(Failure::OutOfOrder { is_current })));
            }
            Err(error) => return Some(Response::Produced(Err(Failure::Refused(error)))),
        };
        let led = self.led(partition)?;
        let leader = (led.leader, cx.hosts.get(&self.id).map_or(0, |host| host.life));
        let append = Append { partition, epoch: led.epoch, leader };
        if cx.history.appends.iter().rev().find(|a| a.partition == partition) != Some(&append) {
            cx.history.appends.push(append);
        }
        match wait {
            Some(wait) => {
                self.hosted(partition)?.producers.push((wait, caller, offset));
                None
            }
            None => Some(Response::Produced(Ok(offset))),
        }
    }

    pub(super) fn answer_producers(&mut self, cx: &mut Cx, partition: i32) {
        let me = self.address();
        let Some(hosted) = self.hosted(partition) else { return };
        let mut answers = Vec::new();
        hosted.producers.retain_mut(|(wait, caller, offset)| match wait.outcome() {
            None => true,
            Some(outcome) => {
                answers.push((*caller, outcome.map(|()| *offset).map_err(Failure::Unknown)));
                false
            }
        });
        for (caller, answer) in answers {
            cx.answer(me, caller, Response::Produced(answer));
        }
    }

    /// `None` while there is nothing to answer with.
    fn follower_fetch(
        &mut self,
        cx: &mut Cx,
        caller: Caller,
        partition: i32,
        (id, epoch): (NodeId, BrokerEpoch),
        position: BarePosition,
    ) -> Option<Result<BareRead, Refused>> {
        match self.read_as_follower(cx, partition, (id, epoch), position) {
            Ok(read) if read.records.is_empty() && read.diverging.is_none() => {
                let high_watermark = read.high_watermark;
                self.hosted(partition)?.parked.push(Parked { caller, id, epoch, position, high_watermark });
                cx.remind(self.address(), MAX_WAIT, Timer::Unpark { call: caller.1 });
                None
            }
            read => Some(read),
        }
    }

    fn read_as_follower(
        &mut self,
        cx: &mut Cx,
        partition: i32,
        (id, epoch): (NodeId, BrokerEpoch),
        position: BarePosition,
    ) -> Result<BareRead, Refused> {
        let hosted = self.leading(partition)?;
        let read = hosted.bare.fetch_as_follower(id, epoch, position, MAX_BYTES)?;
        self.note_fetch(cx, partition, position.leader_epoch);
        Ok(read)
    }

    /// Those for which there is something now are read for again.
    pub(super) fn answer_parked(&mut self, cx: &mut Cx, partition: i32) {
        let Some(hosted) = self.hosted(partition) else { return };
        let (high_watermark, end) = (hosted.seen.0, hosted.seen.1);
        let is_leader = hosted.bare.is_leader();
        let has_news = |parked: &Parked| {
            let position = parked.position;
            !is_leader
                || position.leader_epoch != hosted.seen.2
                || end > position.fetch_offset
                || high_watermark != parked.high_watermark
        };
        let (woken, waiting) = std::mem::take(&mut hosted.parked).into_iter().partition(has_news);
        hosted.parked = waiting;
        let woken: Vec<Parked> = woken;
        for parked in woken {
            self.answer_fetch(cx, partition, &parked);
        }
    }

    pub(super) fn unpark(&mut self, cx: &mut Cx, call: u64) {
        let Some(running) = &mut self.running else { return };
        let found = running.partitions.iter_mut().find_map(|(&partition, hosted)| {
            let at = hosted.parked.iter().position(|parked| parked.caller.1 == call)?;
            Some((partition, hosted.parked.remove(at)))
        });
        if let Some((partition, parked)) = found {
            self.answer_fetch(cx, partition, &parked);
        }
    }

    fn answer_fetch(&mut self, cx: &mut Cx, partition: i32, parked: &Parked) {
        let read = self.read_as_follower(cx, partition, (parked.id, parked.epoch), parked.position);
        cx.answer(self.address(), parked.caller, Response::Fetched(read));
    }
}
