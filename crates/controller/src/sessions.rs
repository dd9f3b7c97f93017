//! Which brokers are alive: soft state of the active controller, empty on every other node.
//!
//! A broker's session lasts for a timeout after each heartbeat. A clock that jumped, or a controller that did not get to
//! run, must not fence anybody: sessions are extended by as much as the controller's own tick came late.
//!
//! A broker may live and yet not hear that others lead in its place. It is told so:
//! ```text
//!  heartbeat            leadership lost   heartbeat: not read yet, just lost   heartbeat: not read yet
//!  ├──────────────────────────┼───────────────┤ lease goes on ─────────────────────┤ not prolonged
//!  ◀────────────── at most half a session ────▶
//! ```
//! So it leads on for half a session and a lease at most. One that lags by less than the time between its heartbeats, however
//! often it loses something, is never behind.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_env::Monotonic;
use ottla_metadata::plan::SessionFacts;
use ottla_metadata::{LostLeaderships, MetadataImage};
use ottla_types::{NodeId, Offset};

/// A tick that comes this much late extends all sessions.
const LATE: Duration = Duration::from_millis(100);
/// The last part of a session is watched closely: a controller that did not get to run leaves every broker at least this
/// much of its session to be heard in.
const WATCHED: Duration = Duration::from_millis(500);
/// How often a session is looked at while it is watched.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// The sessions of all brokers.
#[derive(Debug)]
pub struct Sessions {
    timeout: Duration,
    by_broker: BTreeMap<NodeId, Session>,
    next_tick: Option<Monotonic>,
    /// Whoever was fenced before this node took office was so no later than here.
    office_begins: Offset,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    ends: Monotonic,
    /// When the last heartbeat came, and over which connection.
    heard: Option<(Monotonic, u64)>,
    metadata_offset: Offset,
    shutdown_decided_at: Option<Offset>,
    fenced_at: Offset,
    /// Up to where it had lost leaderships when it was heard of last, and when that was.
    lost: (Offset, Monotonic),
    is_behind: bool,
}

impl Sessions {
    /// Nobody is known yet; a session lasts for `timeout` after each heartbeat.
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, by_broker: BTreeMap::new(), next_tick: None, office_begins: Offset::NONE }
    }

    /// How long a session lasts after a heartbeat.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// This node became the active controller: nobody's silence before counts.
    pub fn take_office(&mut self, image: &MetadataImage, losses: &LostLeaderships, now: Monotonic) {
        self.by_broker.clear();
        self.next_tick = None;
        self.office_begins = image.offset;
        for broker in image.brokers.iter().filter(|broker| !broker.fenced) {
            self.touch(broker.id, Offset::NONE, now);
            // What it has lost before may be long ago.
            self.has_lost(broker.id, losses.last_of(broker.id), now);
        }
    }

    /// A new incarnation of `broker` has registered.
    pub fn begin(&mut self, broker: NodeId, now: Monotonic) {
        self.by_broker.remove(&broker);
        self.touch(broker, Offset::NONE, now);
    }

    /// `broker` was heard of, and has applied `metadata_offset`.
    pub fn touch(&mut self, broker: NodeId, metadata_offset: Offset, now: Monotonic) {
        let ends = now + self.timeout;
        let session = self.by_broker.entry(broker).or_insert(Session {
            ends,
            heard: None,
            metadata_offset,
            shutdown_decided_at: None,
            fenced_at: self.office_begins,
            lost: (Offset::NONE, now),
            is_behind: false,
        });
        session.ends = ends;
        session.metadata_offset = session.metadata_offset.max(metadata_offset);
    }

    /// `broker`, which was heard of now, lost leaderships with the records up to `offset`.
    pub fn has_lost(&mut self, broker: NodeId, offset: Offset, now: Monotonic) {
        let within = self.timeout / 2;
        if let Some(session) = self.by_broker.get_mut(&broker) {
            let (known, heard) = std::mem::replace(&mut session.lost, (offset, now));
            let applied = session.metadata_offset;
            session.is_behind = applied < known || applied < offset && now.since(heard) > within;
        }
    }

    /// A heartbeat of `broker` came over the connection `connection_id`.
    pub fn heard(&mut self, broker: NodeId, connection_id: u64, now: Monotonic) {
        if let Some(session) = self.by_broker.get_mut(&broker) {
            session.heard = Some((now, connection_id));
        }
    }

    /// The broker whose last heartbeat came over the connection `connection_id`.
    pub fn heard_on(&self, connection_id: u64) -> Option<NodeId> {
        let is_on = |session: &Session| session.heard.is_some_and(|(_, id)| id == connection_id);
        self.by_broker.iter().find(|(_, session)| is_on(session)).map(|(id, _)| *id)
    }

    /// Whether a heartbeat of `broker` came after `since`.
    pub fn was_heard_after(&self, broker: NodeId, since: Monotonic) -> bool {
        let heard = self.by_broker.get(&broker).and_then(|session| session.heard);
        heard.is_some_and(|(at, _)| since < at)
    }

    /// A controlled shutdown of `broker` was decided with the records up to `offset`.
    pub fn shutdown_decided(&mut self, broker: NodeId, offset: Offset) {
        if let Some(session) = self.by_broker.get_mut(&broker) {
            session.shutdown_decided_at.get_or_insert(offset);
        }
    }

    /// `broker` is fenced by the records up to `offset`.
    pub fn fenced(&mut self, broker: NodeId, offset: Offset) {
        if let Some(session) = self.by_broker.get_mut(&broker) {
            session.fenced_at = offset;
        }
    }

    /// A fencing of `broker` that was on its way was not decided.
    pub fn not_fenced(&mut self, broker: NodeId) {
        let office_begins = self.office_begins;
        if let Some(session) = self.by_broker.get_mut(&broker) {
            session.fenced_at = office_begins;
        }
    }

    /// Whether `broker` was heard of lately.
    pub fn is_live(&self, broker: NodeId, now: Monotonic) -> bool {
        self.by_broker.get(&broker).is_some_and(|session| now < session.ends)
    }

    /// The metadata offset that `broker` had applied when it was heard of last; `None` if that was not lately.
    pub fn applied_by(&self, broker: NodeId, now: Monotonic) -> Option<Offset> {
        self.by_broker
            .get(&broker)
            .filter(|session| now < session.ends)
            .map(|session| session.metadata_offset)
    }

    /// What decides about a heartbeat of `broker`: when it was fenced, whether it knows what it leads, and how far the others have
    /// followed its shutdown.
    pub fn facts(&self, image: &MetadataImage, broker: NodeId) -> SessionFacts {
        let others = image.brokers.iter().filter(|other| other.id != broker && other.is_active());
        SessionFacts {
            fenced_at: self.by_broker.get(&broker).map_or(self.office_begins, |session| session.fenced_at),
            decided_at: self.by_broker.get(&broker).and_then(|session| session.shutdown_decided_at),
            lowest_active_offset: others
                .filter_map(|other| Some(self.by_broker.get(&other.id)?.metadata_offset))
                .min(),
            is_behind: self.by_broker.get(&broker).is_some_and(|session| session.is_behind),
        }
    }

    /// To be called at [`Self::next_tick`], or earlier: the unfenced brokers whose sessions have ended. Each is named once
    /// per timeout.
    ///
    /// ```text
    ///  last heartbeat                    next tick           TICK apart      session ends
    ///  ├───────────────────────────────────┼──┼──┼──┼──┼──┼──┼──┼──┼──┼──────┤
    ///                                      ◀───────────── WATCHED ───────────▶
    /// ```
    pub fn tick(&mut self, image: &MetadataImage, now: Monotonic) -> Vec<NodeId> {
        let late = self.next_tick.map_or(Duration::ZERO, |due| now.since(due));
        if late > LATE {
            tracing::warn!(
                late_ms = late.as_millis() as u64,
                "the controller was late; all broker sessions are extended"
            );
            for session in self.by_broker.values_mut() {
                session.ends = session.ends + late;
            }
        }
        self.by_broker.retain(|id, _| image.brokers.get(*id).is_some());
        let mut ended = Vec::new();
        for (&id, session) in &mut self.by_broker {
            let fenced = image.brokers.get(id).is_none_or(|broker| broker.fenced);
            if session.ends <= now && !fenced {
                session.ends = now + self.timeout;
                // Until it is decided: a heartbeat that comes now must not bring a new lease.
                session.fenced_at = Offset(i64::MAX);
                ended.push(id);
            }
        }
        self.next_tick = Some(self.when_to_look(image, now));
        ended
    }

    /// When [`Self::tick`] is due.
    pub fn next_tick(&self) -> Option<Monotonic> {
        self.next_tick
    }

    /// A session that begins or is prolonged meanwhile ends later than those that are known now.
    fn when_to_look(&self, image: &MetadataImage, now: Monotonic) -> Monotonic {
        let unfenced = |id| image.brokers.get(id).is_some_and(|broker| !broker.fenced);
        let sessions = self.by_broker.iter().filter(|(id, _)| unfenced(**id));
        let ends = sessions.map(|(_, session)| session.ends).min();
        let left = ends.map_or(self.timeout, |ends| ends.since(now).min(self.timeout));
        now + left.saturating_sub(WATCHED).max(TICK)
    }
}

#[cfg(test)]
#[path = "sessions_test.rs"]
mod tests;
