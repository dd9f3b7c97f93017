//! The cluster: its hosts, clients and faults, and the loop in which everything happens.

use std::time::Duration;

use ottla_env::Rng;

use crate::broker::Broker;
use crate::client::{Consumer, Kind, Producer};
use crate::controller::Controllers;
use crate::cx::{Cx, Event, QuorumEvent, Timer};
use crate::faults::Nemesis;
use crate::message::{Address, Message};
use crate::{Options, Outcome};

/// A run that goes on for longer does nothing that is of interest.
const MAX_EVENTS: u64 = 400_000;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) cx: Cx,
    pub(crate) brokers: Vec<Broker>,
    pub(crate) controllers: Controllers,
    pub(crate) producers: Vec<Producer>,
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) nemesis: Nemesis,
    /// How many there are.
    pub(crate) partitions: i32,
    elections_seen: usize,
    pub(crate) ended: bool,
    pub(crate) events: u64,
}

impl World {
    pub(crate) fn new(seed: u64, options: &Options) -> Self {
        let mut cx = Cx::new(seed, options.keep_trace);
        let nodes = options.nodes;
        // With the balancer on, the last nodes have nothing yet.
        let (count, among) = if options.balance { (6, 3) } else { (2, nodes) };
        let partitions: Vec<Vec<i32>> = (0..count).map(|_| choose(&mut cx, among, 3)).collect();
        (1..=nodes).for_each(|id| cx.add_host(id));
        let disk_seed = cx.rng.next_u64();
        let kinds = [Kind::Idempotent, Kind::Idempotent, Kind::Plain, Kind::Leader];
        let producer = |(id, kind)| Producer::new(id, kind, nodes, partitions.len());
        let count = kinds.len() as i32;
        Self {
            brokers: (1..=nodes).map(|id| Broker::new(id, nodes, disk_seed ^ id as u64)).collect(),
            controllers: Controllers::new(options, partitions.clone()),
            producers: (0..).zip(kinds).map(producer).collect(),
            consumers: (0..partitions.len() as i32).map(|p| Consumer::new(count + p, p, nodes)).collect(),
            nemesis: Nemesis::new(options),
            partitions: partitions.len() as i32,
            elections_seen: 0,
            ended: false,
            events: 0,
            cx,
        }
    }

    pub(crate) fn run(mut self, seed: u64) -> Outcome {
        self.begin();
        while !self.ended && self.events < MAX_EVENTS {
            let Some((at, event)) = self.cx.scheduler.pop() else { break };
            self.cx.advance_to(at);
            self.events += 1;
            self.happen(event);
        }
        if !self.ended {
            self.cx.history.unmet.push(format!("it did not end within {MAX_EVENTS} events"));
        }
        self.dump();
        let violations = ottla_history::check(&self.cx.history);
        Outcome {
            seed,
            hash: self.cx.trace.hash(),
            events: self.events,
            faults: self.nemesis.faults,
            counts: self.cx.counts,
            violations,
            trace: self.cx.trace.into_lines(),
        }
    }

    fn begin(&mut self) {
        for broker in &mut self.brokers {
            broker.start(&mut self.cx);
        }
        self.cx.after(Duration::ZERO, Event::Quorum(QuorumEvent::Tick));
        for at in
            self.producers.iter().map(Producer::address).chain(self.consumers.iter().map(Consumer::address))
        {
            self.cx.remind(at, Duration::from_millis(800), Timer::Next);
        }
        self.nemesis.begin(&mut self.cx);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { from, to, message } => self.deliver(from, to, message),
            Event::Timer { at, life, timer } => self.remind(at, life, timer),
            Event::Quorum(event) => {
                self.controllers.handle_quorum(&mut self.cx, event);
                self.look_at_elected();
            }
            Event::Fault(event) => self.handle_fault(event),
        }
    }

    /// Until when the host of `at` does nothing; `None` if it is down.
    fn paused(&self, at: Address) -> Option<Duration> {
        match self.cx.hosts.get(&at.host()) {
            Some(host) => host.up.then_some(host.paused_until),
            None => Some(Duration::ZERO),
        }
    }

    fn deliver(&mut self, from: Address, to: Address, message: Message) {
        match self.paused(to) {
            None => return,
            Some(until) if until > self.cx.now => {
                return self.cx.scheduler.push(until, Event::Deliver { from, to, message });
            }
            Some(_) => {}
        }
        // The text of a message costs more than all else.
        self.cx.trace.note_message(self.cx.now, from, to, &message);
        match to {
            Address::Broker(id) => {
                if let Some(broker) = self.brokers.get_mut(id as usize - 1) {
                    broker.handle_message(&mut self.cx, from, message);
                }
                self.after_broker(id);
            }
            Address::Controller(id) => self.controllers.handle_message(&mut self.cx, id, from, message),
            Address::Client(id) => match self.producers.get_mut(id as usize) {
                Some(producer) => producer.handle_message(&mut self.cx, message),
                None => {
                    let at = id as usize - self.producers.len();
                    if let Some(consumer) = self.consumers.get_mut(at) {
                        consumer.handle_message(&mut self.cx, message);
                    }
                }
            },
        }
    }

    fn remind(&mut self, at: Address, life: u64, timer: Timer) {
        if self.cx.hosts.get(&at.host()).is_some_and(|host| host.life != life) {
            return;
        }
        match self.paused(at) {
            None => return,
            Some(until) if until > self.cx.now => {
                return self.cx.scheduler.push(until, Event::Timer { at, life, timer });
            }
            Some(_) => {}
        }
        match at {
            Address::Broker(id) => {
                if let Some(broker) = self.brokers.get_mut(id as usize - 1) {
                    broker.handle_timer(&mut self.cx, timer);
                }
                self.after_broker(id);
            }
            Address::Controller(id) => self.controllers.handle_timer(&mut self.cx, id, timer),
            Address::Client(id) => match self.producers.get_mut(id as usize) {
                Some(producer) => producer.handle_timer(&mut self.cx, timer),
                None => {
                    let at = id as usize - self.producers.len();
                    if let Some(consumer) = self.consumers.get_mut(at) {
                        consumer.handle_timer(&mut self.cx, timer);
                    }
                }
            },
        }
    }

    /// What follows from whatever a broker did: also that its process may have to end.
    fn after_broker(&mut self, id: i32) {
        let Some(broker) = self.brokers.get_mut(id as usize - 1) else { return };
        let running = broker.running.as_ref();
        let failed =
            running.is_some_and(|running| running.dir.failure().is_some() || running.broken.is_some());
        if broker.disk.is_off() {
            return self.stop_host(id, true);
        }
        if failed {
            // The last log directory is gone: the broker stops itself, and comes back on a machine that was started anew. On the
            // same one it would find in the page cache what never reached the device, and take it for stored.
            self.cx.note(format_args!("broker {id} gives up: {:?}", running.and_then(|r| r.dir.failure())));
            return self.stop_host(id, true);
        }
        broker.settle(&mut self.cx);
        if broker.disk.is_off() {
            self.stop_host(id, true);
        }
    }

    /// How far the logs of new leaders reach.
    fn look_at_elected(&mut self) {
        for election in self.cx.history.elections.iter_mut().skip(self.elections_seen) {
            let broker = self.brokers.get(election.leader.0 as usize - 1);
            let running = broker.and_then(|broker| broker.running.as_ref());
            let hosted = running.and_then(|running| running.partitions.get(&election.partition));
            election.log_end = hosted.map(|hosted| hosted.bare.look(|log, _, _| log.log_end_offset()));
        }
        self.elections_seen = self.cx.history.elections.len();
    }
}

/// `count` of the nodes, in any order.
pub(crate) fn choose(cx: &mut Cx, nodes: i32, count: usize) -> Vec<i32> {
    let mut left: Vec<i32> = (1..=nodes).collect();
    (0..count).map(|_| left.swap_remove(cx.between(0, left.len() as u64) as usize)).collect()
}
