//! SIGKILL of the leader of a replicated partition while records are on their way: every acknowledged one is on the others.

use ottla_testkit::{
    ACKS_ALL, BrokerProcess, LATEST, RawClient, TopicSpec, batch, decode_produced, eventually,
    produce_request,
};

use crate::support::{Home, broker, controller, leader};

const BROKERS: usize = 3;
/// Acknowledged before the leader is killed.
const BEFORE: usize = 200;
const IN_FLIGHT: usize = 10;

/// Appends until the connection ends, kills the leader on the way; what was acknowledged.
fn produce_until_killed(brokers: &mut [Option<BrokerProcess>], round: usize) -> Vec<(i64, String)> {
    let leader = leader(brokers);
    let mut client: RawClient = brokers[leader].as_ref().expect("it lives").client();
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let values: Vec<String> = (0..IN_FLIGHT).map(|i| format!("{round}/{number}/{i}")).collect();
        let request = |value: &String| produce_request("t", 0, ACKS_ALL, batch::one(value));
        values.iter().for_each(|value| {
            client.send(9, &request(value));
        });
        if acknowledged.len() >= BEFORE
            && let Some(process) = brokers[leader].take()
        {
            process.kill();
        }
        for value in values {
            let Ok(Some(frame)) = client.read_frame() else { return acknowledged };
            let Ok((_, response)) = decode_produced(frame) else { return acknowledged };
            if response.error_code.0 == 0 {
                acknowledged.push((response.base_offset, value));
            }
        }
    }
    acknowledged
}

#[test]
fn acknowledged_records_survive_the_kill_of_their_leader() {
    let (_home, controller) = controller();
    let address = controller.listener("CONTROLLER");
    let homes: Vec<Home> = (1..=BROKERS).map(|id| broker(id, address)).collect();
    let mut brokers: Vec<_> = homes.iter().map(|home| Some(home.start())).collect();
    let topic = TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2");
    let created = brokers[0].as_ref().expect("it lives").client().try_create(&topic);
    assert_eq!(created.error_code.0, 0, "{created:?}");
    let mut promised = Vec::new();
    for round in 0..3 {
        eventually("nothing is appended", || {
            let leader = leader(&brokers);
            let mut client = brokers[leader].as_ref()?.client();
            let produced = client.try_produce("t", 0, ACKS_ALL, batch::one("ready"));
            (produced.error_code.0 == 0).then_some(())
        });
        promised.extend(produce_until_killed(&mut brokers, round));
        let killed = brokers.iter().position(Option::is_none).expect("one was killed");
        check(&brokers, &promised);
        brokers[killed] = Some(homes[killed].start());
        eventually("who was killed is not in sync again", || {
            let partition = brokers[killed].as_ref()?.client().topic("t").partitions.into_iter().next()?;
            (partition.isr_nodes.len() == BROKERS).then_some(())
        });
    }
    assert!(promised.len() >= 3 * BEFORE);
}

fn check(brokers: &[Option<BrokerProcess>], promised: &[(i64, String)]) {
    let last = promised.iter().map(|(offset, _)| *offset).max().expect("some");
    let found = eventually("not all that was acknowledged can be read", || {
        let mut client = brokers[leader(brokers)].as_ref()?.client();
        let end = client.list_offset("t", LATEST);
        (end.error_code.0 == 0 && end.offset > last).then(|| client.read_values("t", 0))
    });
    for (offset, value) in promised {
        assert_eq!(&found[usize::try_from(*offset).expect("an offset")], value, "offset {offset}");
    }
}
