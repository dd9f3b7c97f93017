//! The nemesis: every so often it draws some faults, or none, each of which ends by itself. Then all is healed, and the
//! cluster has to come to rest.

use std::time::Duration;

use ottla_env::Rng;
use ottla_simdisk::{Fault, Op};

use crate::Options;
use crate::cx::{Cx, Event, FaultEvent};
use crate::world::{World, choose};

/// After the start the cluster has so long to itself.
const PEACE: Duration = Duration::from_millis(1500);
/// After all is healed, producers go on for so long.
const RECOVERY: Duration = Duration::from_millis(2500);
/// Then the cluster has to be at rest within this.
const REST_WITHIN: Duration = Duration::from_secs(30);

/// See the module.
#[derive(Debug)]
pub(crate) struct Nemesis {
    until: Duration,
    administers: bool,
    acknowledged_when_healed: Vec<u64>,
    pub(crate) faults: u64,
}

impl Nemesis {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            until: PEACE + options.faults_for,
            administers: options.balance,
            acknowledged_when_healed: Vec::new(),
            faults: 0,
        }
    }

    pub(crate) fn begin(&self, cx: &mut Cx) {
        cx.after(PEACE, Event::Fault(FaultEvent::Round));
        cx.after(self.until, Event::Fault(FaultEvent::HealAll));
    }
}

impl World {
    pub(crate) fn handle_fault(&mut self, event: FaultEvent) {
        match event {
            FaultEvent::Round if self.cx.now < self.nemesis.until => self.round(),
            FaultEvent::Round => {}
            FaultEvent::Unblock(from, to) => self.cx.network.unblock(from, to),
            FaultEvent::CalmNetwork => {
                let network = &mut self.cx.network;
                (network.loss, network.duplicates, network.slow) = (0, 0, Duration::ZERO);
            }
            FaultEvent::Restart { host, life } => self.start_host(host, life),
            FaultEvent::HealAll => self.heal(),
            FaultEvent::Check => self.check_rest(),
        }
    }

    fn round(&mut self) {
        // The first rounds have one for sure, so that no run goes by in peace.
        let count = if self.nemesis.faults < 3 { 1 + self.cx.rng.below(2) } else { self.cx.rng.below(4) };
        for _ in 0..count {
            self.draw_fault();
        }
        if self.nemesis.administers && self.cx.one_in(2) {
            self.administer();
        }
        let wait = Duration::from_millis(self.cx.between(200, 1200));
        self.cx.after(wait, Event::Fault(FaultEvent::Round));
    }

    /// What people do to a cluster that balances itself.
    fn administer(&mut self) {
        let nodes = self.brokers.len() as i32;
        let partition = self.cx.rng.below(self.partitions as u64) as i32;
        match self.cx.rng.below(6) {
            0..3 => {
                let replicas = choose(&mut self.cx, nodes, 3);
                self.controllers.reassign(&mut self.cx, partition, Some(replicas));
            }
            3 => {
                for partition in 0..self.partitions {
                    self.controllers.reassign(&mut self.cx, partition, None);
                }
            }
            4 => {
                let broker = self.cx.between(1, nodes as u64 + 1) as i32;
                self.controllers.drain(&mut self.cx, Some(broker));
            }
            _ => self.controllers.drain(&mut self.cx, None),
        }
    }

    fn draw_fault(&mut self) {
        self.nemesis.faults += 1;
        let nodes = self.brokers.len() as u64;
        let host = self.cx.between(1, nodes + 1) as i32;
        let lasts = Duration::from_millis(self.cx.between(100, 3500));
        match self.cx.rng.below(24) {
            0..2 => self.rough_network(lasts),
            2..4 => self.isolate(host, lasts),
            4..6 => self.one_way(host, lasts),
            6..9 => self.pause(host, lasts),
            9..11 => self.kill(host),
            11..13 => self.stop_host(host, true),
            13..16 => {
                // In the middle of what it does soon.
                let n = self.cx.between(1, 60);
                self.disk(host, |disk| disk.crash_at(n));
            }
            16 => {
                self.cx.counts.add("power losses of all");
                (1..=nodes as i32).for_each(|host| self.stop_host(host, true));
            }
            17 => {
                self.cx.counts.add("failed syncs");
                self.disk(host, |disk| disk.inject(Fault::io(Op::SyncData)));
            }
            18 => {
                self.cx.counts.add("failed reads");
                self.disk(host, |disk| disk.inject(Fault::io(Op::Read).times(2)));
            }
            19 => self.controllers.transfer(&mut self.cx),
            20..22 => self.bridge(host, lasts),
            _ => self.hold_metadata(host, lasts * 2),
        }
    }

    fn disk(&mut self, host: i32, act: impl FnOnce(&ottla_simdisk::SimDisk)) {
        if let Some(broker) = self.brokers.get(host as usize - 1).filter(|broker| broker.running.is_some()) {
            act(&broker.disk);
        }
    }

    fn rough_network(&mut self, lasts: Duration) {
        let (loss, duplicates) = (self.cx.rng.below(250), self.cx.rng.below(250));
        let slow = Duration::from_millis(self.cx.rng.below(400));
        let network = &mut self.cx.network;
        (network.loss, network.duplicates, network.slow) = (loss, duplicates, slow);
        self.cx.note(format_args!("fault: of 1000 lost {loss}, twice {duplicates}, up to {slow:?} late"));
        self.cx.after(lasts, Event::Fault(FaultEvent::CalmNetwork));
    }

    fn isolate(&mut self, host: i32, lasts: Duration) {
        self.cx.counts.add("isolations");
        self.cx.note(format_args!("fault: host {host} is isolated for {lasts:?}"));
        // Clients may still reach it: half of the time.
        let clients = (self.producers.len() + self.consumers.len()) as i32;
        let clients = if self.cx.one_in(2) { 100..100 + clients } else { 0..0 };
        for other in (1..=self.brokers.len() as i32).chain(clients).filter(|&other| other != host) {
            self.block(host, other, lasts);
            self.block(other, host, lasts);
        }
    }

    fn one_way(&mut self, host: i32, lasts: Duration) {
        self.cx.counts.add("one-way partitions");
        let other = host % self.brokers.len() as i32 + 1;
        let (from, to) = if self.cx.one_in(2) { (host, other) } else { (other, host) };
        self.cx.note(format_args!("fault: nothing from host {from} to {to} for {lasts:?}"));
        self.block(from, to, lasts);
    }

    /// Two hosts lose each other, and keep all others.
    fn bridge(&mut self, host: i32, lasts: Duration) {
        self.cx.counts.add("bridges");
        let other = host % self.brokers.len() as i32 + 1;
        self.cx.note(format_args!("fault: nothing between hosts {host} and {other} for {lasts:?}"));
        self.block(host, other, lasts);
        self.block(other, host, lasts);
    }

    /// A broker does not act on new metadata: it is busy, or those whom it asks have none. It is heard of as always.
    fn hold_metadata(&mut self, host: i32, lasts: Duration) {
        self.cx.counts.add("metadata held back");
        self.cx.note(format_args!("fault: broker {host} acts on no metadata for {lasts:?}"));
        if let Some(broker) = self.brokers.get_mut(host as usize - 1) {
            broker.metadata_held_until = self.cx.now + lasts;
        }
    }

    fn block(&mut self, from: i32, to: i32, lasts: Duration) {
        self.cx.network.block(from, to);
        self.cx.after(lasts, Event::Fault(FaultEvent::Unblock(from, to)));
    }

    fn pause(&mut self, host: i32, lasts: Duration) {
        let until = self.cx.now + lasts;
        let Some(state) = self.cx.hosts.get_mut(&host).filter(|state| state.up) else { return };
        state.paused_until = until;
        self.cx.counts.add("pauses");
        self.cx.note(format_args!("fault: host {host} stands still for {lasts:?}"));
    }

    fn kill(&mut self, host: i32) {
        if self.cx.hosts.get(&host).is_some_and(|state| state.up) {
            self.cx.counts.add("kills");
            self.stop_host(host, false);
        }
    }

    /// Its processes end, and come back some time later; without power what was not synced is gone.
    pub(crate) fn stop_host(&mut self, host: i32, loses_power: bool) {
        let Some(state) = self.cx.hosts.get_mut(&host).filter(|state| state.up) else { return };
        state.up = false;
        state.paused_until = Duration::ZERO;
        let life = state.life;
        self.cx.note(format_args!("fault: host {host} stops, loses power: {loses_power}"));
        if loses_power {
            self.cx.counts.add("power losses");
        }
        self.controllers.stop(host);
        if let Some(broker) = self.brokers.get_mut(host as usize - 1) {
            broker.running = None;
            if loses_power {
                broker.disk.crash();
            } else {
                broker.disk.restart_process();
            }
            broker.disk.heal();
        }
        let wait = Duration::from_millis(self.cx.between(20, 2500));
        self.cx.after(wait, Event::Fault(FaultEvent::Restart { host, life }));
    }

    fn start_host(&mut self, host: i32, life: u64) {
        let Some(state) = self.cx.hosts.get_mut(&host).filter(|state| !state.up && state.life == life) else {
            return;
        };
        (state.up, state.life) = (true, life + 1);
        let Some(broker) = self.brokers.get_mut(host as usize - 1) else { return };
        if !broker.start(&mut self.cx) {
            let loses_power = broker.disk.is_off();
            self.stop_host(host, loses_power);
        }
    }

    fn heal(&mut self) {
        self.cx.note(format_args!("all is healed"));
        self.cx.network.heal();
        for broker in &mut self.brokers {
            broker.metadata_held_until = Duration::ZERO;
            broker.disk.heal();
            // Far away.
            broker.disk.crash_at(u64::MAX / 2);
        }
        for (host, state) in self.cx.hosts.clone() {
            if let Some(state) = self.cx.hosts.get_mut(&host) {
                state.paused_until = Duration::ZERO;
            }
            self.start_host(host, state.life);
        }
        self.nemesis.acknowledged_when_healed = self.producers.iter().map(|p| p.acknowledged).collect();
        self.cx.after(RECOVERY, Event::Fault(FaultEvent::Check));
    }

    fn check_rest(&mut self) {
        let before = self.nemesis.acknowledged_when_healed.clone();
        for (producer, before) in self.producers.iter_mut().zip(before) {
            producer.stopped |= producer.acknowledged > before;
        }
        let mut unmet = self.unmet();
        for producer in self.producers.iter().filter(|producer| !producer.stopped) {
            unmet.push(format!("{:?} got no acknowledgement", producer.address()));
        }
        let is_late = self.cx.now > self.nemesis.until + RECOVERY + REST_WITHIN;
        if unmet.is_empty() || is_late {
            self.cx.history.unmet.extend(unmet);
            self.ended = true;
        }
        self.cx.after(Duration::from_millis(100), Event::Fault(FaultEvent::Check));
    }
}
