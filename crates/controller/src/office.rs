//! What the active controller does by itself: it watches over sessions, gives leadership back, and balances.

use std::sync::{Arc, Weak};
use std::time::Duration;

use ottla_consensus::QuorumState;
use ottla_env::Monotonic;
use ottla_metadata::MetadataImage;
use ottla_metadata::plan::{Decision, ElectionType, plan_elect_leaders, plan_fence_broker};
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::Controller;
use crate::desk::{Desk, PlanContext};
use crate::proof_of_death::is_dead;
use crate::sessions::{Sessions, TICK};

/// A few elections, and far less than unused connections last.
const LATELY: Duration = Duration::from_secs(5);

impl Controller {
    /// Looks after sessions while this node is the active controller, until the controller is dropped.
    pub(crate) async fn hold_office(controller: Weak<Self>, mut states: watch::Receiver<QuorumState>) {
        let mut term: Option<LeaderEpoch> = None;
        let mut rebalanced = Monotonic::default();
        loop {
            let state = states.borrow_and_update().clone();
            let Some(this) = controller.upgrade() else { return };
            match (state.is_leader(), term) {
                (true, known) if known != Some(state.epoch) => {
                    term = Some(state.epoch);
                    rebalanced = this.now();
                    this.take_office(state.epoch).await;
                }
                (true, _) => {
                    this.check_sessions();
                    this.rebalance_if_due(&mut rebalanced);
                    this.balance_if_due();
                }
                (false, _) => term = None,
            }
            let wait = this.until_next_tick();
            drop(this);
            tokio::select! {
                changed = states.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(wait), if term.is_some() => {}
            }
        }
    }

    async fn take_office(&self, epoch: LeaderEpoch) {
        let image = self.image();
        tracing::info!(node = %self.node_id(), %epoch, offset = %image.offset, "active controller");
        self.sessions.lock().take_office(&image, &self.published.losses(), self.now());
        self.balancer.lock().forget();
        for broker in self.broken_off(&image) {
            self.look_for_death(broker);
        }
        // The first decision brings the first records of a new cluster along.
        if let Err(error) = self.decide(|_| Decision::unchanged(())).await {
            tracing::warn!("taking office: {error}");
        }
    }

    /// The brokers that may have died with the last active controller, or as it: their sessions need not be waited for. Only of
    /// those that are voters too it is known yet whether a connection has ended. That nothing listens where a broker did is no
    /// proof by itself: a firewall may answer so.
    pub(crate) fn broken_off(&self, image: &MetadataImage) -> Vec<NodeId> {
        let now = self.now();
        let voters = self.voter_connections.lock();
        let unfenced = image.brokers.iter().filter(|broker| !broker.fenced).map(|broker| broker.id);
        unfenced.filter(|id| voters.broke_off(*id, now, LATELY)).collect()
    }

    /// How long nothing has to be looked at.
    fn until_next_tick(&self) -> Duration {
        let due = self.sessions.lock().next_tick();
        due.map_or(TICK, |due| due.since(self.now())).min(self.until_balance())
    }

    pub(crate) fn check_sessions(&self) {
        let image = self.image();
        let ended = self.sessions.lock().tick(&image, self.now());
        for broker in ended.into_iter().filter_map(|id| image.brokers.get(id)) {
            tracing::warn!(broker = %broker.id, "broker session has ended, the broker is fenced");
            let (desk, sessions) = (self.desk.clone(), Arc::clone(&self.sessions));
            tokio::spawn(fence(desk, sessions, broker.id, broker.epoch));
        }
    }

    /// A connection of this controller's listeners has ended: if a broker sent its heartbeats over it, the broker may be
    /// dead.
    pub fn connection_ended(&self, connection_id: u64) {
        self.voter_connections.lock().ended(connection_id);
        let broker = self.sessions.lock().heard_on(connection_id);
        if let Some(broker) = broker.filter(|_| self.is_active()) {
            self.look_for_death(broker);
        }
    }

    /// Another voter said something over the connection `connection_id`. It counts if it is a broker too.
    pub(crate) fn voter_heard(&self, voter: NodeId, connection_id: u64) {
        if self.image().brokers.get(voter).is_some() {
            self.voter_connections.lock().heard(voter, connection_id, self.now());
        }
    }

    /// Fences `broker` if nothing listens any more where it did, unless it is heard of meanwhile.
    fn look_for_death(&self, broker: NodeId) {
        let image = self.image();
        let Some(registered) = image.brokers.get(broker) else { return };
        let epoch = registered.epoch;
        let addresses =
            registered.endpoints.iter().map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port));
        let addresses: Vec<String> = addresses.collect();
        let is_expected = registered.in_controlled_shutdown;
        let (desk, sessions, since) = (self.desk.clone(), Arc::clone(&self.sessions), self.now());
        let looking = async move {
            let is_heard_of = || sessions.lock().was_heard_after(broker, since);
            if is_dead(&addresses, is_heard_of).await {
                match is_expected {
                    true => tracing::info!(%broker, "the broker has stopped, it is fenced"),
                    false => tracing::warn!(
                        %broker,
                        "the broker's process is gone ({} refused), the broker is fenced",
                        addresses.join(", ")
                    ),
                }
                fence(desk, sessions, broker, epoch).await;
            }
        };
        // Without a runtime the process is about to end.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(looking);
        }
    }

    /// Gives leadership back to preferred replicas that are in sync again.
    fn rebalance_if_due(&self, last: &mut Monotonic) {
        let now = self.now();
        if self.rebalance_interval.is_none_or(|interval| now.since(*last) < interval) {
            return;
        }
        *last = now;
        let desk = self.desk.clone();
        tokio::spawn(async move {
            let plan = |cx: PlanContext<'_>| {
                plan_elect_leaders(cx.image, cx.settings, ElectionType::Preferred, None)
            };
            if let Err(error) = desk.decide(plan).await {
                tracing::warn!("leaders could not be rebalanced: {error}");
            }
        });
    }
}

async fn fence(desk: Desk, sessions: Arc<Mutex<Sessions>>, broker: NodeId, epoch: BrokerEpoch) {
    let fenced = Arc::clone(&sessions);
    let plan = move |cx: PlanContext<'_>| {
        let decision = plan_fence_broker(cx.image, cx.settings, broker, epoch);
        // Also if it is fenced already: while that was not committed, its session may have ended a second time.
        fenced.lock().fenced(broker, cx.image.offset + decision.records.len() as i64);
        decision
    };
    if let Err(error) = desk.decide(plan).await {
        tracing::warn!(%broker, "the broker could not be fenced: {error}");
        // Whoever holds office next knows whether it was.
        sessions.lock().not_fenced(broker);
    }
}
