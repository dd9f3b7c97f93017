//! The balancer: a broker that joins takes its part, one that is drained ends empty.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use ottla_protocol::messages::{DescribeBalanceRequest, DescribeBalanceResponse};
use ottla_testkit::{ACKS_ALL, TopicSpec, batch, eventually};

use crate::three_brokers::Cluster;

const PARTITIONS: i32 = 30;
const PLANNED: i8 = 0;
const DONE: i8 = 2;

impl Cluster {
    fn balance(&self) -> DescribeBalanceResponse {
        let request = DescribeBalanceRequest { max_planned: 100, ..Default::default() };
        let response = self.any().call(0, &request);
        assert_eq!(response.error_code, ErrorCode::NONE);
        response
    }

    /// Sets a config of all brokers.
    fn set_for_all(&self, key: &str, value: &str) {
        let config = AlterableConfig { name: key.into(), value: Some(value.into()), ..Default::default() };
        let resource = AlterConfigsResource { resource_type: 4, configs: vec![config], ..Default::default() };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
        let response = self.any().call(1, &request);
        assert_eq!(response.responses[0].error_code, ErrorCode::NONE, "{response:?}");
    }

    /// Waits until replicas and leaders of these brokers are within a tenth of even, and nothing moves or would.
    fn wait_until_even(&self, brokers: &[i32]) {
        eventually("the cluster is not in balance", || {
            let balance = self.balance();
            let is_settled = balance.moves.iter().all(|made| made.state == DONE);
            let of = |count: fn(&ottla_protocol::messages::BalancedBroker) -> i32| {
                let counted = balance.brokers.iter().filter(|broker| brokers.contains(&broker.broker_id));
                counted.map(count).collect::<Vec<_>>()
            };
            let replicas = of(|broker| broker.replicas);
            (is_settled && within_a_tenth(&replicas) && within_a_tenth(&of(|broker| broker.leaders)))
                .then_some(())
        });
    }
}

fn within_a_tenth(counts: &[i32]) -> bool {
    let mean = f64::from(counts.iter().sum::<i32>()) / counts.len() as f64;
    counts.iter().all(|&count| (f64::from(count) - mean).abs() <= (mean * 0.1).max(1.0))
}

/// Three brokers that hold 30 partitions, and a fourth that holds nothing.
fn three_and_an_empty_one() -> Cluster {
    let mut cluster = Cluster::start();
    cluster.create(&TopicSpec::new("t").partitions(PARTITIONS).replicas(3));
    for partition in 0..PARTITIONS {
        eventually("a record is not acknowledged", || {
            let topic = cluster.any().topic("t");
            let leader = topic.partitions.iter().find(|it| it.partition_index == partition)?.leader_id;
            let record = batch::one(&"x".repeat(10_000));
            let produced = cluster.client(leader).try_produce("t", partition, ACKS_ALL, record);
            (produced.error_code == ErrorCode::NONE).then_some(())
        });
    }
    cluster.add(|spec| spec);
    cluster
}

#[test]
fn a_broker_that_joins_takes_its_part_while_a_producer_writes_and_one_that_is_drained_ends_empty() {
    let mut cluster = three_and_an_empty_one();
    let paused = cluster.balance();
    assert!(!paused.enabled && paused.moves.iter().all(|made| made.state == PLANNED), "{paused:?}");
    assert!(paused.moves[0].reason.contains("broker 4 holds 0; even would be 22.5"), "{paused:?}");

    let is_even = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !is_even.load(Ordering::Relaxed) || written < 20 {
                cluster.produce("t", ACKS_ALL, &format!("w{written}"));
                written += 1;
            }
            written
        });
        cluster.set_for_all("ottla.balancer.enable", "true");
        cluster.wait_until_even(&[1, 2, 3, 4]);
        is_even.store(true, Ordering::Relaxed);
        writer.join().unwrap()
    });
    let made = cluster.balance().moves;
    assert!(made.len() >= 20 && made.iter().all(|made| !made.reason.is_empty()), "{made:?}");
    let values = cluster.values("t", written + 1);
    let mut distinct: Vec<_> = values.into_iter().skip(1).collect();
    distinct.dedup();
    assert_eq!(distinct, (0..written).map(|number| format!("w{number}")).collect::<Vec<_>>());

    cluster.set_for_all("ottla.balancer.drained.brokers", "2");
    eventually("broker 2 is not empty", || cluster.specs[1].folders_of("t").is_empty().then_some(()));
    cluster.wait_until_even(&[1, 3, 4]);
    let balance = cluster.balance();
    let drained = balance.brokers.iter().find(|broker| broker.broker_id == 2).unwrap();
    assert_eq!((drained.standing, drained.replicas, drained.leaving, drained.leaders), (2, 0, 0, 0));
    cluster.create(&TopicSpec::new("new").partitions(6).replicas(3));
    let new = cluster.any().topic("new");
    assert!(new.partitions.iter().all(|partition| !partition.replica_nodes.contains(&2)), "{new:?}");
    cluster.stop();
}
