//! Consensus, modelled: a log that a majority has, terms, and one leader at a time that a majority would follow.
//!
//! ```text
//!  proposal ──▶ a majority has it ──▶ committed, in order          each controller hears of it sooner or later
//!        └────▶ the leader is cut off, paused or dead ──▶ the next leader brings it along, or nobody ever sees it
//! ```
//! A new leader has all that was committed. A former one believes that it leads until it hears otherwise: what it proposes
//! is never committed, but it goes on to answer from what it knows.

use std::time::Duration;

use ottla_metadata::{MetadataImage, decode_batch};
use ottla_types::{Bytes, Offset};

use super::changes::note_changes;
use super::desk::Wanted;
use super::{Controllers, Job, Kind};
use crate::cx::{Cx, Event, QuorumEvent};

const TICK: Duration = Duration::from_millis(50);
/// Without a majority a leader is sure of itself for so long, because so long nobody else is elected.
const SURE: Duration = Duration::from_millis(150);

/// What a majority has.
#[derive(Debug)]
pub(crate) struct Quorum {
    pub(super) log: Vec<Entry>,
    /// After all of the log.
    pub(crate) image: MetadataImage,
    term: i32,
    leader: Option<i32>,
    /// Since when the leader has no majority.
    lost_since: Option<Duration>,
    pending: Option<Proposal>,
    proposals: u64,
    wanted: Wanted,
}

/// A committed batch.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) base_offset: Offset,
    pub(super) payload: Bytes,
}

#[derive(Clone, Debug)]
struct Proposal {
    id: u64,
    from: i32,
    term: i32,
    entry: Entry,
}

impl Quorum {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self {
            log: Vec::new(),
            image: MetadataImage::empty(),
            term: 0,
            leader: None,
            lost_since: None,
            pending: None,
            proposals: 0,
            wanted,
        }
    }

    /// The controller `id` stopped: it does not lead when it comes back.
    pub(super) fn lose(&mut self, id: i32) {
        self.leader.take_if(|leader| *leader == id);
    }

    /// Who leads.
    pub(super) const fn leader(&self) -> Option<i32> {
        self.leader
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.wanted.clone()
    }

    /// Returns the proposal's number.
    pub(super) fn propose(&mut self, cx: &mut Cx, from: i32, term: i32, base: Offset, payload: Bytes) -> u64 {
        self.proposals += 1;
        let id = self.proposals;
        // One of a former leader goes nowhere.
        if term == self.term {
            self.pending = Some(Proposal { id, from, term, entry: Entry { base_offset: base, payload } });
            // Now and then a disk stalls.
            let micros = if cx.one_in(12) { cx.between(20_000, 400_000) } else { cx.between(500, 6000) };
            let wait = Duration::from_micros(micros);
            cx.after(wait, Event::Quorum(QuorumEvent::Decided { proposal: id }));
        }
        id
    }
}

impl Controllers {
    pub(crate) fn handle_quorum(&mut self, cx: &mut Cx, event: QuorumEvent) {
        match event {
            QuorumEvent::Tick => {
                self.watch_leader(cx);
                self.spread(cx);
                cx.after(TICK, Event::Quorum(QuorumEvent::Tick));
            }
            QuorumEvent::Decided { proposal } => self.decided(cx, proposal),
            QuorumEvent::Apply { controller, life, up_to } => {
                if cx.is_running(controller)
                    && cx.hosts.get(&controller).is_some_and(|host| host.life == life)
                {
                    self.hear(cx, controller, up_to);
                }
            }
        }
    }

    /// Whether `id` runs and can talk with a majority.
    fn has_majority(&self, cx: &Cx, id: i32) -> bool {
        let reaches = |other: i32| {
            cx.is_running(other) && cx.network.is_open(id, other) && cx.network.is_open(other, id)
        };
        let reached = self.members.iter().filter(|member| reaches(member.id)).count();
        cx.is_running(id) && reached > self.members.len() / 2
    }

    fn watch_leader(&mut self, cx: &mut Cx) {
        if self.quorum.leader.is_some_and(|leader| self.has_majority(cx, leader)) {
            self.quorum.lost_since = None;
            return self.set_up(cx);
        }
        let since = *self.quorum.lost_since.get_or_insert(cx.now);
        if cx.now.saturating_sub(since) < SURE + Duration::from_millis(cx.between(0, 350)) {
            return;
        }
        let former = self.quorum.leader;
        let able: Vec<i32> =
            self.members.iter().map(|m| m.id).filter(|&id| self.has_majority(cx, id)).collect();
        let others: Vec<i32> = able.iter().copied().filter(|&id| Some(id) != former).collect();
        let candidates = if others.is_empty() { able } else { others };
        if !candidates.is_empty() {
            let next = candidates[cx.between(0, candidates.len() as u64) as usize];
            self.elect(cx, next);
        }
    }

    /// Whether the controller `id`, which believes itself active, is sure to be (`Quorum::confirm_leadership` of `ottla-consensus`).
    pub(super) fn confirm_leadership(&self, cx: &mut Cx, id: i32) -> bool {
        let active = self.members.iter().find(|member| member.id == id).and_then(|member| member.active);
        if active != Some(self.quorum.term) {
            cx.counts.add("heartbeats to deposed controllers");
            return false;
        }
        self.quorum.lost_since.is_none_or(|since| cx.now.saturating_sub(since) < SURE)
    }

    /// A leader that nothing is wrong with gives its office away.
    pub(crate) fn transfer(&mut self, cx: &mut Cx) {
        let former = self.quorum.leader;
        let next =
            self.members.iter().map(|m| m.id).find(|&id| Some(id) != former && self.has_majority(cx, id));
        if let Some(next) = next {
            self.elect(cx, next);
        }
    }

    fn elect(&mut self, cx: &mut Cx, next: i32) {
        // What the former leader had under way may be on the majority that elected this one.
        if let Some(pending) = self.quorum.pending.take() {
            cx.counts.add("decisions of unknown fate");
            if cx.one_in(2) {
                self.commit(cx, pending.entry);
            }
        }
        self.quorum.term += 1;
        self.quorum.leader = Some(next);
        self.quorum.lost_since = None;
        self.take_office(cx, next, self.quorum.term);
    }

    fn decided(&mut self, cx: &mut Cx, id: u64) {
        let Some(pending) = self.quorum.pending.clone().filter(|pending| pending.id == id) else { return };
        if !self.has_majority(cx, pending.from) || pending.term != self.quorum.term {
            return cx.after(TICK, Event::Quorum(QuorumEvent::Decided { proposal: id }));
        }
        self.quorum.pending = None;
        self.commit(cx, pending.entry);
        self.apply(cx, pending.from, self.quorum.log.len());
        self.committed(cx, pending.from, id);
        self.spread(cx);
    }

    /// The leader tells the others what is committed.
    fn spread(&mut self, cx: &mut Cx) {
        let Some(leader) = self.quorum.leader.filter(|leader| cx.is_running(*leader)) else { return };
        let up_to = self.quorum.log.len();
        for controller in self.members.iter().map(|member| member.id).collect::<Vec<_>>() {
            let Some(life) = cx.hosts.get(&controller).map(|host| host.life) else { continue };
            if controller != leader && cx.network.is_open(leader, controller) && !cx.one_in(5) {
                let lag = if cx.one_in(8) { cx.between(10, 400) } else { cx.between(1, 5) };
                let event = QuorumEvent::Apply { controller, life, up_to };
                cx.after(Duration::from_millis(lag), Event::Quorum(event));
            }
        }
    }

    fn hear(&mut self, cx: &mut Cx, id: i32, up_to: usize) {
        let leader = self.quorum.leader;
        let Some(member) = self.member(id) else { return };
        if leader == Some(id) {
            return;
        }
        member.leader = leader;
        if member.active.is_some() {
            self.leave_office(cx, id);
        }
        self.apply(cx, id, up_to);
    }

    fn set_up(&mut self, cx: &mut Cx) {
        let (Some(leader), image) = (self.quorum.leader, &self.quorum.image) else { return };
        let brokers = image.brokers.iter().filter(|broker| broker.is_active()).count();
        if image.topics.is_empty() && brokers == self.members.len() && self.quorum.pending.is_none() {
            self.decide(cx, leader, Job { caller: None, kind: Kind::SetUp });
        }
    }

    /// Adds to what a majority has, and notes what that means.
    fn commit(&mut self, cx: &mut Cx, entry: Entry) {
        let Ok(batch) = decode_batch(entry.payload.clone()) else { return };
        let before = self.quorum.image.clone();
        // A batch that was decided on another image is passed over by all.
        if batch.base_offset != before.offset.next() {
            return;
        }
        match before.apply(&batch.records) {
            Ok((image, _)) => self.quorum.image = image,
            Err(error) => {
                cx.history.unmet.push(format!("a committed batch does not fit: {error}"));
                return;
            }
        }
        self.quorum.log.push(entry);
        cx.note(format_args!("committed {} records up to {}", batch.records.len(), self.quorum.image.offset));
        note_changes(cx, &before, &self.quorum.image, &batch.records);
    }
}
