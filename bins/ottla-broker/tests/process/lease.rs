//! Leaders that the controller does not hear: they answer nothing that might be old.

use std::thread;

use ottla_testkit::{ACKS_ALL, BrokerProcess, LATEST, RawClient, TopicSpec, batch, eventually};

use crate::support::{Home, broker, controller, leader};

const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const BEFORE: i64 = 10;
const AFTER: i64 = 5;

struct Cluster {
    _homes: Vec<Home>,
    controller: Option<BrokerProcess>,
    brokers: Vec<Option<BrokerProcess>>,
    leader: usize,
}

/// Three brokers with a topic that has some records.
fn start() -> Cluster {
    let (home, controller) = controller();
    let address = controller.listener("CONTROLLER");
    let mut homes: Vec<Home> = (1..=3).map(|id| broker(id, address)).collect();
    let brokers: Vec<_> = homes.iter().map(|home| Some(home.start())).collect();
    homes.push(home);
    let topic = TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2");
    let created = brokers[0].as_ref().expect("it lives").client().try_create(&topic);
    assert_eq!(created.error_code.0, 0, "{created:?}");
    let leader = leader(&brokers);
    let cluster = Cluster { _homes: homes, controller: Some(controller), brokers, leader };
    (0..BEFORE).for_each(|i| cluster.produce(cluster.leader, &i.to_string()));
    cluster
}

impl Cluster {
    fn client(&self, broker: usize) -> RawClient {
        self.brokers[broker].as_ref().expect("it lives").client()
    }

    fn produce(&self, leader: usize, value: &str) {
        eventually("nothing is acknowledged", || {
            let produced = self.client(leader).try_produce("t", 0, ACKS_ALL, batch::one(value));
            (produced.error_code.0 == 0).then_some(())
        });
    }
}

#[test]
fn a_leader_that_stood_still_tells_nothing_old_when_it_goes_on() {
    let cluster = start();
    let paused = cluster.leader;
    let mut clients: Vec<RawClient> = (0..8).map(|_| cluster.client(paused)).collect();
    for client in &mut clients {
        assert_eq!(client.list_offset("t", LATEST).offset, BEFORE);
    }
    let process = cluster.brokers[paused].as_ref().expect("it lives");
    process.pause();
    // These wait for their answers while it stands still.
    let asking: Vec<_> = clients
        .into_iter()
        .map(|mut client| thread::spawn(move || client.list_offset("t", LATEST)))
        .collect();
    let other = (paused + 1) % 3;
    let next = eventually("nobody else leads", || {
        let leader = cluster.client(other).topic("t").partitions.first()?.leader_id;
        usize::try_from(leader - 1).ok().filter(|&leader| leader != paused)
    });
    (0..AFTER).for_each(|i| cluster.produce(next, &format!("after {i}")));
    process.resume();
    let mut asking_who_leads = cluster.client(paused);
    eventually("it does not hear who leads", || {
        let told = asking_who_leads.topic("t").partitions.first()?.leader_id;
        assert_ne!(usize::try_from(told - 1), Ok(paused), "that is old");
        (usize::try_from(told - 1) == Ok(next)).then_some(())
    });
    let is_old = |answer: (i16, i64)| answer.0 == 0 && answer.1 < BEFORE + AFTER;
    for asked in asking {
        let answer = asked.join().expect("an answer");
        assert!(!is_old((answer.error_code.0, answer.offset)), "{answer:?}");
    }
    let mut client = cluster.client(paused);
    eventually("it does not hear who leads", || {
        let answer = client.list_offset("t", LATEST);
        assert!(!is_old((answer.error_code.0, answer.offset)), "{answer:?}");
        let partition = client.topic("t").partitions.into_iter().next()?;
        (partition.isr_nodes.len() == 3).then_some(())
    });
}

#[test]
fn a_leader_without_a_controller_stops_to_serve() {
    let mut cluster = start();
    let mut client = cluster.client(cluster.leader);
    assert_eq!(client.list_offset("t", LATEST).offset, BEFORE);
    cluster.controller.take().expect("it lives").kill();
    eventually("it serves on", || {
        (client.list_offset("t", LATEST).error_code.0 == NOT_LEADER_OR_FOLLOWER).then_some(())
    });
    let produced = client.try_produce("t", 0, 1, batch::one("lost"));
    assert_eq!(produced.error_code.0, NOT_LEADER_OR_FOLLOWER);
    let partition = client.topic("t").partitions.remove(0);
    assert_eq!(partition.leader_id, -1, "clients are to ask again");
}
