//! Consumers read from the replica in their rack (KIP-392).

use ottla_protocol::messages::fetch::{FetchRequest, FetchResponse, PartitionData};
use ottla_protocol::{ErrorCode, Version};
use ottla_testkit::{ACKS_ALL, FetchAt, RawClient, TopicSpec, batch, bytes_of, eventually};

use crate::three_brokers::{BROKERS, Cluster, others};

const SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

fn racks() -> Cluster {
    let cluster = Cluster::start_with(|id, spec| {
        spec.set("broker.rack", &rack(id))
            .set("replica.selector.class", SELECTOR)
            // A parked fetch of a follower does not hide what the test waits for.
            .set("replica.fetch.wait.max.ms", "50")
    });
    cluster.create(&TopicSpec::new("t").replicas(3));
    cluster
}

fn rack(id: i32) -> String {
    format!("r{id}")
}

fn fetch(client: &mut RawClient, version: Version, at: &FetchAt<'_>, rack: &str) -> PartitionData {
    let mut request = at.to_request();
    request.rack_id = rack.into();
    data(client.call(version, &request))
}

fn data(response: FetchResponse) -> PartitionData {
    assert_eq!(response.error_code, ErrorCode::NONE);
    response.responses.into_iter().next().unwrap().partitions.into_iter().next().unwrap()
}

fn values(data: &PartitionData) -> Vec<String> {
    batch::values_of(&bytes_of(data))
}

#[test]
fn a_leader_refers_consumers_to_the_replica_in_their_rack_which_serves_what_is_committed() {
    let cluster = racks();
    cluster.produce("t", ACKS_ALL, "a");
    cluster.wait_for_isr("t", &BROKERS);
    let leader = cluster.leader("t");
    let follower = others(leader)[0];
    let (mut to_leader, mut to_follower) = (cluster.client(leader), cluster.client(follower));
    let at = FetchAt::new("t", 0);

    // The leader hears with its follower's next fetch that the follower has the record.
    eventually("the leader refers to nobody", || {
        let referred = fetch(&mut to_leader, 11, &at, &rack(follower));
        (referred.preferred_read_replica == follower).then_some(())
    });
    let referred = fetch(&mut to_leader, 11, &FetchAt { max_wait_ms: 20_000, ..at }, &rack(follower));
    assert_eq!(values(&referred), Vec::<String>::new(), "the wait ends at once, and nothing is read");
    for rack in [rack(leader), "elsewhere".to_owned(), String::new()] {
        let read = fetch(&mut to_leader, 11, &at, &rack);
        assert_eq!((read.preferred_read_replica, values(&read)), (-1, vec!["a".to_owned()]), "{rack:?}");
    }

    let read = eventually("the follower does not hear that the record is committed", || {
        let read = fetch(&mut to_follower, 11, &at, &rack(follower));
        (read.high_watermark == 1).then_some(read)
    });
    assert_eq!(values(&read), ["a"]);
    assert_eq!(read.preferred_read_replica, -1, "only leaders refer");
}

#[test]
fn a_consumer_waits_at_a_follower_for_what_comes() {
    let cluster = racks();
    cluster.produce("t", ACKS_ALL, "a");
    let leader = cluster.leader("t");
    let follower = others(leader)[0];
    let mut client = cluster.client(follower);
    let at = FetchAt { max_wait_ms: 20_000, ..FetchAt::new("t", 1) };
    let waiting = eventually("the follower has not even the first record", || {
        let read = fetch(&mut client, 11, &FetchAt::new("t", 0), "");
        (read.high_watermark == 1).then(|| client.send(11, &at.to_request()))
    });
    cluster.produce("t", ACKS_ALL, "b");
    assert_eq!(values(&data(client.receive::<FetchRequest>(11, waiting))), ["b"]);
}

#[test]
fn a_follower_refuses_what_it_does_not_have_and_those_who_know_of_leaders_only() {
    let cluster = racks();
    cluster.produce("t", ACKS_ALL, "a");
    let mut client = cluster.client(others(cluster.leader("t"))[0]);
    assert_eq!(
        fetch(&mut client, 11, &FetchAt::new("t", 5), "").error_code,
        ErrorCode::OFFSET_OUT_OF_RANGE,
        "consumers go back to the leader then"
    );
    assert_eq!(
        fetch(&mut client, 10, &FetchAt::new("t", 0), "").error_code,
        ErrorCode::NOT_LEADER_OR_FOLLOWER
    );
}
