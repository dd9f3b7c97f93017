//! Copying from leaders (in place of `crates/broker/src/replica_fetcher`): one fetch of a partition at a time, the next once
//! what came is synced.

use std::time::Duration;

use ottla_broker::{BareFetch, Refused};
use ottla_history::{Dumped, Truncation};
use ottla_types::{LeaderEpoch, NodeId, Offset};

use super::{Broker, Call, RETRY};
use crate::cx::{Cx, Timer};
use crate::message::{Address, Request, Response};
use crate::rest::dump;

/// `replica.fetch.wait.max.ms`
pub(super) const MAX_WAIT: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_millis(1200);

impl Broker {
    pub(super) fn fetch(&mut self, cx: &mut Cx, partition: i32) {
        let (me, id) = (self.address(), NodeId(self.id));
        let Some(running) = &mut self.running else { return };
        let epoch = running.epoch;
        let Some(hosted) = running.partitions.get_mut(&partition) else { return };
        let Some(leader) = hosted.following.filter(|_| hosted.fetching.is_none()) else { return };
        match hosted.bare.next_fetch() {
            Ok(BareFetch::From(position)) => {
                hosted.synced = None;
                let request = Request::FollowerFetch { partition, id, epoch, position };
                let call = cx.call(me, Address::Broker(leader.0), TIMEOUT, request);
                hosted.fetching = Some(call);
                running.calls.insert(call, Call::Fetch { partition, epoch: position.leader_epoch });
            }
            Ok(BareFetch::AfterSync(synced)) => hosted.synced = Some(synced),
            Err(error) => {
                cx.note(format_args!("broker {id} partition {partition} cannot fetch: {error}"));
                cx.remind(me, RETRY, Timer::Fetch { partition });
            }
        }
    }

    pub(super) fn fetch_once_synced(&mut self, cx: &mut Cx, partition: i32) {
        let me = self.address();
        let Some(hosted) = self.hosted(partition) else { return };
        let Some(outcome) = hosted.synced.as_mut().and_then(|synced| synced.outcome()) else { return };
        hosted.synced = None;
        match outcome {
            Ok(()) => self.fetch(cx, partition),
            Err(_) => cx.remind(me, RETRY, Timer::Fetch { partition }),
        }
    }

    /// The answer to a fetch in `epoch`, be it one that is of interest no more.
    pub(super) fn fetched(
        &mut self,
        cx: &mut Cx,
        call: u64,
        partition: i32,
        epoch: LeaderEpoch,
        response: Response,
    ) {
        let (me, id) = (self.address(), self.id);
        let Some(running) = &mut self.running else { return };
        let Some(hosted) = running.partitions.get_mut(&partition) else { return };
        let is_current = hosted.fetching == Some(call);
        let Response::Fetched(answer) = response else { return };
        let diverges = answer.as_ref().is_ok_and(|read| read.diverging.is_some());
        let before = if diverges { hosted.bare.look(|log, _, _| dump(log)).0 } else { Vec::new() };
        let taken = answer.and_then(|read| hosted.bare.take_fetched(epoch, &read));
        if is_current {
            hosted.fetching = None;
        }
        match taken {
            Ok(truncated) => {
                if truncated {
                    let end = hosted.bare.look(|log, _, _| log.log_end_offset());
                    note_truncation(cx, NodeId(id), partition, end, before);
                }
                if is_current {
                    self.fetch(cx, partition);
                }
            }
            Err(Refused::OffsetOutOfRange) if is_current => {
                let Some(leader) = hosted.following else { return };
                let request = Request::LogStart { partition, epoch };
                let call = cx.call(me, Address::Broker(leader.0), TIMEOUT, request);
                hosted.fetching = Some(call);
                running.calls.insert(call, Call::LogStart { partition, epoch });
            }
            Err(error) => {
                cx.note(format_args!("broker {id} partition {partition} fetched nothing: {error}"));
                if is_current {
                    cx.remind(me, RETRY, Timer::Fetch { partition });
                }
            }
        }
    }

    pub(super) fn start_anew(&mut self, cx: &mut Cx, partition: i32, epoch: LeaderEpoch, response: Response) {
        let (me, id) = (self.address(), self.id);
        let Some(hosted) = self.hosted(partition) else { return };
        hosted.fetching = None;
        if let Response::LogStart(Ok(offset)) = response {
            let started = hosted.bare.start_anew(epoch, offset);
            cx.note(format_args!("broker {id} partition {partition} starts anew at {offset}: {started:?}"));
        }
        cx.remind(me, RETRY, Timer::Fetch { partition });
    }
}

fn note_truncation(cx: &mut Cx, replica: NodeId, partition: i32, end: Offset, before: Vec<Dumped>) {
    cx.counts.add("truncations");
    cx.note(format_args!("broker {replica} partition {partition} truncated to {end}"));
    let committed = cx.history.committed(partition);
    let gone = before.into_iter().filter(|record| (end..committed).contains(&record.offset)).collect();
    let newest = cx.history.versions.iter().rev().find(|version| version.partition == partition);
    let is_eligible = newest
        .is_some_and(|version| version.state.isr.contains(&replica) || version.state.elr.contains(&replica));
    cx.history.truncations.push(Truncation { partition, replica, is_eligible, committed: gone });
}
