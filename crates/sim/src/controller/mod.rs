//! The controllers: each sees as much of the quorum as it has heard of, and decides by the plans of `ottla-metadata`.
//!
//! `quorum.rs` is a model of consensus; `desk.rs` stands for the controller's desk and handlers, `balance.rs` for the task of its
//! balancer; sessions and what the balancer remembers are the controller's own.

mod balance;
mod changes;
mod desk;
mod quorum;

use std::time::Duration;

use ottla_controller::{Balancer, Sessions};
use ottla_metadata::{LostLeaderships, MetadataImage, Settings, decode_batch};
use ottla_types::Offset;

use self::desk::{Desk, Job, Kind, Wanted};
pub(crate) use self::quorum::Quorum;
use crate::Options;
use crate::broker::{FEED_MAX_WAIT, SESSION};
use crate::cx::{Cx, Timer};
use crate::message::{Address, Body, Message, Request, Response};

/// How often leadership is given back to preferred replicas.
const REBALANCE: Duration = Duration::from_millis(1200);
/// Batches of one answer.
const MAX_BATCHES: usize = 50;

/// All controllers, and what they agree on.
#[derive(Debug)]
pub(crate) struct Controllers {
    pub(crate) quorum: Quorum,
    pub(crate) members: Vec<Controller>,
    settings: Settings,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Controller {
    pub(crate) id: i32,
    /// Of the committed batches it has applied so many.
    applied: usize,
    image: MetadataImage,
    /// In which term it believes itself active.
    active: Option<i32>,
    /// Whom it believes to be.
    leader: Option<i32>,
    sessions: Sessions,
    losses: LostLeaderships,
    balancer: Balancer,
    desk: Desk,
    parked: Vec<(Address, u64, Offset)>,
}

impl Controllers {
    pub(crate) fn new(options: &Options, partitions: Vec<Vec<i32>>) -> Self {
        let member = |id| Controller {
            id,
            applied: 0,
            image: MetadataImage::empty(),
            active: None,
            leader: None,
            sessions: Sessions::new(SESSION),
            losses: LostLeaderships::default(),
            balancer: Balancer::default(),
            desk: Desk::default(),
            parked: Vec::new(),
        };
        Self {
            quorum: Quorum::new(Wanted { partitions, elr: options.elr, balance: options.balance }),
            members: (1..=options.nodes).map(member).collect(),
            settings: Settings::default(),
        }
    }

    fn member(&mut self, id: i32) -> Option<&mut Controller> {
        self.members.get_mut(usize::try_from(id - 1).ok()?)
    }

    /// The process is gone; what it had applied it finds again, as from a snapshot.
    pub(crate) fn stop(&mut self, id: i32) {
        self.quorum.lose(id);
        let Some(member) = self.member(id) else { return };
        (member.active, member.leader) = (None, None);
        (member.desk, member.balancer) = (Desk::default(), Balancer::default());
        member.losses = LostLeaderships::after(member.image.offset);
        member.parked.clear();
    }

    pub(crate) fn handle_message(&mut self, cx: &mut Cx, id: i32, from: Address, message: Message) {
        let Body::Request(request) = message.body else { return };
        let caller = (from, message.call);
        let Some(member) = self.member(id) else { return };
        let kind = match request {
            Request::FetchMetadata { after } => return self.serve_feed(cx, id, caller, after),
            Request::Register(registration) => Kind::Register(registration),
            Request::Heartbeat(heartbeat) => Kind::Heartbeat(heartbeat),
            Request::AlterPartition { broker, epoch, wish } => Kind::AlterPartition { broker, epoch, wish },
            _ => return,
        };
        if member.active.is_none() {
            let leader = member.leader.filter(|leader| *leader != id);
            return cx.answer(Address::Controller(id), caller, Response::NotController(leader));
        }
        if let Some(answer) = self.answer_heartbeat(cx, id, &kind) {
            // The answer prolongs the broker's lease: a controller that was replaced must not give it.
            let answer = if self.confirm_leadership(cx, id) { answer } else { Response::NotController(None) };
            return cx.answer(Address::Controller(id), caller, answer);
        }
        self.decide(cx, id, Job { caller: Some(caller), kind });
    }

    pub(crate) fn handle_timer(&mut self, cx: &mut Cx, id: i32, timer: Timer) {
        let Some(member) = self.member(id) else { return };
        match timer {
            Timer::Unpark { call } => {
                if let Some(at) = member.parked.iter().position(|(_, parked, _)| *parked == call) {
                    let (from, call, after) = member.parked.remove(at);
                    self.answer_feed(cx, id, (from, call), after);
                }
            }
            Timer::Sessions { term } if member.active == Some(term) => self.check_sessions(cx, id, term),
            Timer::Rebalance { term } if member.active == Some(term) => {
                self.decide(cx, id, Job { caller: None, kind: Kind::ElectPreferred });
                cx.remind(Address::Controller(id), REBALANCE, Timer::Rebalance { term });
            }
            _ => {}
        }
    }

    /// It was elected.
    fn take_office(&mut self, cx: &mut Cx, id: i32, term: i32) {
        let up_to = self.quorum.log.len();
        self.apply(cx, id, up_to);
        let now = cx.monotonic(id);
        let Some(member) = self.member(id) else { return };
        (member.active, member.leader) = (Some(term), Some(id));
        (member.desk, member.balancer) = (Desk::default(), Balancer::default());
        let image = member.image.clone();
        member.sessions.take_office(&image, &member.losses, now);
        cx.counts.add("controllers elected");
        cx.note(format_args!("controller {id} is active in term {term}, has applied {}", image.offset));
        self.decide(cx, id, Job { caller: None, kind: Kind::TakeOffice });
        self.check_sessions(cx, id, term);
        cx.remind(Address::Controller(id), REBALANCE, Timer::Rebalance { term });
    }

    /// It heard that another one is active.
    fn leave_office(&mut self, cx: &mut Cx, id: i32) {
        let Some(member) = self.member(id) else { return };
        member.active = None;
        cx.note(format_args!("controller {id} is not active any more"));
        let jobs: Vec<Job> = std::mem::take(&mut member.desk).into_jobs().collect();
        if jobs.iter().any(|job| matches!(job.kind, Kind::Balance(_))) {
            member.balancer.failed();
        }
        for job in jobs {
            if let Some(caller) = job.caller {
                cx.answer(Address::Controller(id), caller, Response::NotController(None));
            }
        }
    }

    fn check_sessions(&mut self, cx: &mut Cx, id: i32, term: i32) {
        let now = cx.monotonic(id);
        let Some(member) = self.member(id) else { return };
        let ended = member.sessions.tick(&member.image, now);
        let due = member.sessions.next_tick().map_or(Duration::from_millis(50), |due| due.since(now));
        let epochs = ended.into_iter().filter_map(|id| Some((id, member.image.brokers.get(id)?.epoch)));
        for (broker, epoch) in epochs.collect::<Vec<_>>() {
            cx.note(format_args!("controller {id}: the session of broker {broker} has ended"));
            self.decide(cx, id, Job { caller: None, kind: Kind::Fence(broker, epoch) });
        }
        let due = self.balance_if_due(cx, id).map_or(due, |at_the_latest| due.min(at_the_latest));
        cx.remind(Address::Controller(id), due, Timer::Sessions { term });
    }

    /// It applies committed batches, and tells brokers.
    fn apply(&mut self, cx: &mut Cx, id: i32, up_to: usize) {
        let Self { quorum, members, .. } = self;
        let Some(member) = usize::try_from(id - 1).ok().and_then(|at| members.get_mut(at)) else { return };
        for entry in quorum.log.get(member.applied..up_to).unwrap_or_default() {
            let Ok(batch) = decode_batch(entry.payload.clone()) else { return };
            let Ok((image, delta)) = member.image.apply(&batch.records) else { return };
            member.losses.note(&member.image, &image, &delta);
            member.image = image;
            member.applied += 1;
        }
        for (from, call, after) in std::mem::take(&mut member.parked) {
            self.serve_feed(cx, id, (from, call), after);
        }
    }

    /// Tells what comes after `after`, as soon as there is something.
    fn serve_feed(&mut self, cx: &mut Cx, id: i32, caller: (Address, u64), after: Offset) {
        let Some(member) = self.member(id) else { return };
        if member.image.offset > after {
            return self.answer_feed(cx, id, caller, after);
        }
        member.parked.push((caller.0, caller.1, after));
        cx.remind(Address::Controller(id), FEED_MAX_WAIT, Timer::Unpark { call: caller.1 });
    }

    fn answer_feed(&mut self, cx: &mut Cx, id: i32, caller: (Address, u64), after: Offset) {
        let Some(member) = self.members.get(id as usize - 1) else { return };
        let known = self.quorum.log.get(..member.applied).unwrap_or_default();
        let from = known.partition_point(|entry| entry.base_offset <= after);
        let batches = known.iter().skip(from).take(MAX_BATCHES).map(|entry| entry.payload.clone()).collect();
        let leader = member.leader;
        cx.answer(Address::Controller(id), caller, Response::Metadata { batches, leader });
    }
}
