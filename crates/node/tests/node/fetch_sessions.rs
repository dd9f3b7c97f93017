//! Incremental fetch sessions (KIP-227) over the wire.

use ottla_protocol::messages::fetch::{FetchRequest, FetchResponse, ForgottenTopic};
use ottla_protocol::{ErrorCode, Uuid};
use ottla_testkit::{ACKS_ALL, FetchAt, RawClient, TestNode, TopicSpec, batch, bytes_of};

struct Session<'a> {
    client: RawClient,
    version: i16,
    topic: &'a str,
    topic_id: Uuid,
    id: i32,
    epoch: i32,
}

impl Session<'_> {
    /// Fetches with changes to the session: partitions with their offsets, and partitions to forget.
    fn fetch(&mut self, changed: &[(i32, i64)], forgotten: &[i32]) -> FetchResponse {
        let mut request = FetchAt::new(self.topic, 0).to_request_by_id(self.topic_id);
        let topic = &mut request.topics[0];
        let template = topic.partitions.remove(0);
        for &(partition, fetch_offset) in changed {
            let mut one = template.clone();
            (one.partition, one.fetch_offset) = (partition, fetch_offset);
            topic.partitions.push(one);
        }
        if changed.is_empty() {
            request.topics.clear();
        }
        if !forgotten.is_empty() {
            request.forgotten_topics_data.push(ForgottenTopic {
                topic: self.topic.into(),
                topic_id: self.topic_id,
                partitions: forgotten.to_vec(),
                ..Default::default()
            });
        }
        (request.session_id, request.session_epoch) = (self.id, self.epoch);
        let response = self.client.call::<FetchRequest>(self.version, &request);
        if response.error_code == ErrorCode::NONE {
            self.id = response.session_id;
            self.epoch += 1;
        }
        response
    }
}

/// Partition, number of records.
fn shown(response: &FetchResponse) -> Vec<(i32, usize)> {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|p| (p.partition_index, batch::values_of(&bytes_of(p)).len())).collect()
}

fn start(version: i16) -> (TestNode, Session<'static>, RawClient) {
    let node = TestNode::start();
    let mut client = node.client();
    let topic_id = client.create(&TopicSpec::new("t").partitions(3));
    let session = Session { client: node.client(), version, topic: "t", topic_id, id: 0, epoch: 0 };
    (node, session, client)
}

#[test]
fn a_session_sends_only_what_changed() {
    for version in [7, 11, 12, 13, 18] {
        let (_node, mut session, mut producer) = start(version);
        producer.try_produce("t", 1, ACKS_ALL, batch::one("before"));
        let first = session.fetch(&[(0, 0), (1, 0), (2, 0)], &[]);
        assert_eq!(first.error_code, ErrorCode::NONE);
        assert_ne!(first.session_id, 0, "version {version}");
        assert_eq!(shown(&first), [(0, 0), (1, 1), (2, 0)], "the first answer names every partition");

        assert_eq!(shown(&session.fetch(&[(1, 1)], &[])), [], "version {version}");
        producer.try_produce("t", 2, ACKS_ALL, batch::values(["a", "b"]));
        assert_eq!(shown(&session.fetch(&[], &[])), [(2, 2)]);
        assert_eq!(shown(&session.fetch(&[(2, 2)], &[])), []);

        producer.try_produce("t", 0, ACKS_ALL, batch::one("x"));
        producer.try_produce("t", 1, ACKS_ALL, batch::one("y"));
        assert_eq!(shown(&session.fetch(&[], &[0])), [(1, 1)], "a forgotten partition is not fetched");
    }
}

#[test]
fn a_session_that_the_broker_does_not_know_is_refused() {
    for version in [7, 12, 13, 18] {
        let (_node, mut session, _) = start(version);
        (session.id, session.epoch) = (4711, 1);
        let response = session.fetch(&[(0, 0)], &[]);
        assert_eq!(response.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND, "version {version}");
    }
}

#[test]
fn an_epoch_out_of_turn_is_refused_and_a_new_session_begins() {
    let (_node, mut session, _) = start(17);
    session.fetch(&[(0, 0)], &[]);
    session.epoch += 1;
    assert_eq!(session.fetch(&[], &[]).error_code, ErrorCode::INVALID_FETCH_SESSION_EPOCH);
    let old = session.id;
    session.epoch = 0;
    let again = session.fetch(&[(0, 0)], &[]);
    assert_eq!(again.error_code, ErrorCode::NONE);
    assert_ne!(again.session_id, old);
}

#[test]
fn the_final_epoch_closes_a_session() {
    let (node, mut session, _) = start(12);
    session.fetch(&[(0, 0)], &[]);
    let sessions = "kafka_server_fetchsessioncache_numincrementalfetchsessions";
    assert_eq!(node.metric(sessions), 1.0);
    session.epoch = -1;
    let last = session.fetch(&[(0, 0)], &[]);
    assert_eq!((last.error_code, last.session_id), (ErrorCode::NONE, 0));
    assert_eq!(node.metric(sessions), 0.0);
}

#[test]
fn names_and_ids_do_not_mix_in_a_session() {
    let (_node, mut session, _) = start(12);
    session.fetch(&[(0, 0)], &[]);
    session.version = 13;
    assert_eq!(session.fetch(&[(1, 0)], &[]).error_code, ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
}

#[test]
fn a_deleted_topic_stays_an_error_in_its_session() {
    let (_node, mut session, mut admin) = start(17);
    session.fetch(&[(0, 0)], &[]);
    admin.delete_topic("t");
    for _ in 0..2 {
        let response = session.fetch(&[], &[]);
        assert_eq!(response.error_code, ErrorCode::NONE);
        assert_eq!(response.responses[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID);
    }
}

#[test]
fn every_partition_gets_its_share_of_a_small_limit() {
    let (_node, mut session, mut producer) = start(12);
    for partition in 0..3 {
        for _ in 0..3 {
            producer.try_produce("t", partition, ACKS_ALL, batch::values(["x".repeat(600_000)]));
        }
    }
    let mut offsets = [0i64; 3];
    let mut changed = vec![(0, 0), (1, 0), (2, 0)];
    let mut served = Vec::new();
    for _ in 0..3 {
        let mut request = FetchAt::new("t", 0).to_request();
        request.max_bytes = 700_000;
        let template = request.topics[0].partitions.remove(0);
        for &(partition, offset) in &changed {
            let mut one = template.clone();
            (one.partition, one.fetch_offset) = (partition, offset);
            request.topics[0].partitions.push(one);
        }
        (request.session_id, request.session_epoch) = (session.id, session.epoch);
        let response = session.client.call(12, &request);
        session.id = response.session_id;
        session.epoch += 1;
        changed.clear();
        for (partition, records) in shown(&response).into_iter().filter(|(_, records)| *records > 0) {
            served.push(partition);
            offsets[partition as usize] += records as i64;
            changed.push((partition, offsets[partition as usize]));
        }
    }
    served.sort_unstable();
    assert_eq!(served, [0, 1, 2], "one after the other, none starves");
}
