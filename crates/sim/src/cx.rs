//! What every part of the cluster works with: time, chance, the network, and what is noted of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{Clock, ManualClock, Monotonic, Rng, SeededRng};
use ottla_history::History;
use ottla_types::{NodeId, Uuid};

use crate::counts::Counts;
use crate::message::{Address, Body, Message, Request, Response};
use crate::network::Network;
use crate::scheduler::Scheduler;
use crate::trace::Trace;

/// By how many thousandths a machine's clocks may go wrong: two of them differ by less than what a lease is shorter than a session.
pub(crate) const CLOCK_DRIFT: u64 = 40;
/// The wall clock at the start, ms.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// What can happen.
#[derive(Debug)]
pub(crate) enum Event {
    Deliver {
        from: Address,
        to: Address,
        message: Message,
    },
    /// Of this life of the process: a timer dies with it.
    Timer {
        at: Address,
        life: u64,
        timer: Timer,
    },
    Quorum(QuorumEvent),
    Fault(FaultEvent),
}

/// What a part of the cluster wants to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// No answer came.
    Timeout(u64),
    Register,
    Heartbeat,
    /// Whether the lease still lasts.
    Lease,
    Feed,
    Fetch {
        partition: i32,
    },
    IsrRound,
    Isr {
        partition: i32,
    },
    BeginSync {
        partition: i32,
        at_once: bool,
    },
    EndSync {
        partition: i32,
    },
    /// A fetch that waits has waited long enough.
    Unpark {
        call: u64,
    },
    Checkpoints,
    Sessions {
        term: i32,
    },
    Rebalance {
        term: i32,
    },
    Next,
}

/// What happens in the quorum.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QuorumEvent {
    /// Who leads?
    Tick,
    /// A proposal has reached a majority, if there was one.
    Decided { proposal: u64 },
    /// A controller hears of what is committed.
    Apply { controller: i32, life: u64, up_to: usize },
}

/// What the nemesis does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FaultEvent {
    Round,
    /// Ends what a round began.
    Unblock(i32, i32),
    CalmNetwork,
    Restart {
        host: i32,
        life: u64,
    },
    HealAll,
    Check,
}

/// A machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) up: bool,
    /// Counts its starts.
    pub(crate) life: u64,
    /// Its processes do nothing until then.
    pub(crate) paused_until: Duration,
}

/// A machine's clocks.
#[derive(Debug)]
struct HostClock {
    clock: Arc<ManualClock>,
    /// How far they go while the world goes on by a thousand.
    speed: u32,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Cx {
    pub(crate) now: Duration,
    clocks: BTreeMap<i32, HostClock>,
    pub(crate) rng: SeededRng,
    pub(crate) network: Network,
    pub(crate) hosts: BTreeMap<i32, Host>,
    /// Of the brokers' processes that were started last.
    pub(crate) incarnations: BTreeMap<NodeId, Uuid>,
    pub(crate) history: History,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    pub(crate) scheduler: Scheduler<Event>,
    calls: u64,
}

impl Cx {
    pub(crate) fn new(seed: u64, keep_trace: bool) -> Self {
        Self {
            now: Duration::ZERO,
            clocks: BTreeMap::new(),
            rng: SeededRng::new(seed),
            network: Network::default(),
            hosts: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            history: History::default(),
            counts: Counts::default(),
            trace: Trace::new(keep_trace),
            scheduler: Scheduler::default(),
            calls: 0,
        }
    }

    /// Time passes.
    pub(crate) fn advance_to(&mut self, at: Duration) {
        let step = at.saturating_sub(self.now);
        for host in self.clocks.values() {
            host.clock.advance(step * host.speed / 1000);
        }
        self.now = self.now.max(at);
    }

    /// A machine that was switched on, with clocks that go a little too fast or too slow.
    pub(crate) fn add_host(&mut self, host: i32) {
        let speed = self.between(1000 - CLOCK_DRIFT, 1000 + CLOCK_DRIFT + 1) as u32;
        let clock = Arc::new(ManualClock::at_wall_ms(START_MS));
        self.clocks.insert(host, HostClock { clock, speed });
        self.hosts.insert(host, Host { up: true, life: 1, paused_until: Duration::ZERO });
    }

    /// The clocks of `host`.
    pub(crate) fn clock(&self, host: i32) -> Arc<ManualClock> {
        let of_host = self.clocks.get(&host).map(|host| &host.clock);
        of_host.map_or_else(|| Arc::new(ManualClock::at_wall_ms(START_MS)), Arc::clone)
    }

    /// The time as `host` counts it, for sessions.
    pub(crate) fn monotonic(&self, host: i32) -> Monotonic {
        self.clocks.get(&host).map_or(Monotonic(0), |host| host.clock.now())
    }

    /// The same, for leases.
    pub(crate) fn monotonic_since_start(&self, host: i32) -> Duration {
        Duration::from_nanos(self.monotonic(host).0)
    }

    pub(crate) fn wall_ms(&self) -> i64 {
        START_MS + self.now.as_millis() as i64
    }

    /// A number in `low..high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.rng.below(high - low)
    }

    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.rng.below(n) == 0
    }

    pub(crate) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.trace.note(self.now, what);
    }

    pub(crate) fn after(&mut self, wait: Duration, event: Event) {
        self.scheduler.push(self.now + wait, event);
    }

    /// Reminds `at`, unless it dies before.
    pub(crate) fn remind(&mut self, at: Address, wait: Duration, timer: Timer) {
        let life = self.hosts.get(&at.host()).map_or(0, |host| host.life);
        self.after(wait, Event::Timer { at, life, timer });
    }

    /// Sends a request; whoever sent it is reminded after `timeout`. Returns the call.
    pub(crate) fn call(&mut self, from: Address, to: Address, timeout: Duration, request: Request) -> u64 {
        self.calls += 1;
        let call = self.calls;
        self.send(from, to, Message { call, body: Body::Request(request) });
        self.remind(from, timeout, Timer::Timeout(call));
        call
    }

    /// Answers a call.
    pub(crate) fn answer(&mut self, from: Address, (to, call): (Address, u64), response: Response) {
        self.send(from, to, Message { call, body: Body::Response(response) });
    }

    fn send(&mut self, from: Address, to: Address, message: Message) {
        let hosts = (from.host(), to.host());
        let delays = self.network.deliveries(&mut self.rng, hosts, message.may_come_twice());
        if delays.is_empty() {
            self.counts.add("messages lost");
            self.note(format_args!("{from:?} -> {to:?} #{} lost", message.call));
        }
        for delay in delays {
            self.after(delay, Event::Deliver { from, to, message: message.clone() });
        }
    }

    /// Whether the host does anything.
    pub(crate) fn is_running(&self, host: i32) -> bool {
        self.hosts.get(&host).is_some_and(|state| state.up && state.paused_until <= self.now)
    }
}
