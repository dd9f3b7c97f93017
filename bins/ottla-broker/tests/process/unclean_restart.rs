//! SIGKILL of all brokers at once. What they acknowledged they had synced, or not: that decides who may lead when they come back.

use ottla_testkit::{ACKS_ALL, BrokerProcess, RawClient, TopicSpec, batch, eventually};

use crate::support::{Home, broker, controller, leader};

const RECORDS: usize = 100;

/// Brokers that died together, with what had been acknowledged.
struct Dead {
    _controller: (Home, BrokerProcess),
    homes: Vec<Home>,
    values: Vec<String>,
    leader_epoch: i32,
}

fn kill_all(durability: &str) -> Dead {
    let controller = controller();
    let address = controller.1.listener("CONTROLLER");
    let home = |id| broker(id, address).set(&format!("log.durability={durability}"));
    let homes: Vec<Home> = (1..=3).map(home).collect();
    let brokers: Vec<_> = homes.iter().map(|home| Some(home.start())).collect();
    let mut any = brokers[0].as_ref().expect("it lives").client();
    let created = any.try_create(&TopicSpec::new("t").replicas(3).config("min.insync.replicas", "2"));
    assert_eq!(created.error_code.0, 0, "{created:?}");
    let values: Vec<String> = (0..RECORDS).map(|i| i.to_string()).collect();
    for value in &values {
        eventually("nothing is acknowledged", || {
            let mut client = brokers[leader(&brokers)].as_ref()?.client();
            let produced = client.try_produce("t", 0, ACKS_ALL, batch::one(value));
            (produced.error_code.0 == 0).then_some(())
        });
    }
    let leader_epoch = eventually("not all are in sync", || {
        let partition = any.describe_partition("t", 0);
        (partition.isr_nodes.len() == 3).then_some(partition.leader_epoch)
    });
    // The order in which those that die together are found dead is anybody's guess: the first is known to be gone before the
    // others follow, which are the last two of the in-sync set then.
    let [first, second, third] = brokers.try_into().expect("three");
    first.expect("it lives").kill();
    let second = second.expect("it lives");
    eventually("the first is not missed", || {
        (second.client().describe_partition("t", 0).isr_nodes.len() == 2).then_some(())
    });
    second.kill();
    third.expect("it lives").kill();
    Dead { _controller: controller, homes, values, leader_epoch }
}

/// Who may lead, once nobody leads and nobody is in sync.
fn eligible(client: &mut RawClient, count: usize) -> Vec<i32> {
    eventually("nobody leads, and not so many are eligible", || {
        let partition = client.describe_partition("t", 0);
        let mut eligible = partition.eligible_leader_replicas.unwrap_or_default().to_vec();
        eligible.sort_unstable();
        let nobody_leads = partition.leader_id == -1 && partition.isr_nodes.is_empty();
        (nobody_leads && eligible.len() == count).then_some(eligible)
    })
}

#[test]
fn what_was_synced_before_all_died_is_led_by_any_that_had_to_acknowledge_it() {
    let dead = kill_all("fsync");
    // The others' sessions end, and the last two below min ISR.
    let first = dead.homes[0].start();
    let eligible = eligible(&mut first.client(), 2);
    assert_eq!(eligible, [2, 3]);
    let second = dead.homes[1].start();
    let partition = eventually("nobody leads", || {
        let partition = second.client().describe_partition("t", 0);
        (partition.leader_id == 2 && partition.isr_nodes.len() == 2).then_some(partition)
    });
    assert!(partition.leader_epoch > dead.leader_epoch, "what it had not synced is gone: a new epoch");
    let read = eventually("not everything is committed", || {
        let read = second.client().read_values("t", 0);
        (read.len() >= RECORDS).then_some(read)
    });
    assert_eq!(read, dead.values);
    let third = dead.homes[2].start();
    eventually("not all are in sync", || {
        (third.client().describe_partition("t", 0).isr_nodes.len() == 3).then_some(())
    });
}

#[test]
fn what_was_left_to_the_system_before_all_died_is_led_by_the_last_leader_only() {
    let dead = kill_all("os");
    let first = dead.homes[0].start();
    eligible(&mut first.client(), 2);
    let second = dead.homes[1].start();
    assert_eq!(eligible(&mut second.client(), 1), [3], "as in Kafka, what restarted may have lost records");
    let third = dead.homes[2].start();
    eventually("the last leader does not lead", || {
        let partition = third.client().describe_partition("t", 0);
        (partition.leader_id > 0 && partition.leader_epoch > dead.leader_epoch).then_some(())
    });
}
