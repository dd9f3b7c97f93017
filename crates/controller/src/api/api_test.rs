use std::sync::atomic::Ordering;
use std::time::Duration;

use ottla_metadata::plan::Decision;
use ottla_metadata::{MetadataImage, RecordBatch};
use ottla_protocol::messages::alter_partition::{BrokerState, PartitionData, TopicData};
use ottla_protocol::messages::broker_registration::Listener;
use ottla_protocol::messages::create_partitions::CreatePartitionsTopic;
use ottla_protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use ottla_protocol::messages::delete_topics::DeleteTopicState;
use ottla_protocol::messages::incremental_alter_configs as incremental;
use ottla_protocol::messages::{
    self as m, AllocateProducerIdsRequest, AlterConfigsRequest, AlterPartitionRequest,
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest, CreatePartitionsRequest,
    CreateTopicsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeQuorumRequest,
    ElectLeadersRequest, FetchMetadataRequest, IncrementalAlterConfigsRequest, RaftMessageRequest,
    UnregisterBrokerRequest, UpdateFeaturesRequest,
};
use ottla_protocol::records::metadata::PartitionChangeRecord;
use ottla_protocol::{ApiKey, ErrorCode};
use ottla_types::{NodeId, Uuid};
use tokio::sync::Semaphore;

use super::*;
use crate::testing::*;
mod admin_test;

fn registration(broker: i32, incarnation: u128) -> BrokerRegistrationRequest {
    BrokerRegistrationRequest {
        broker_id: broker,
        cluster_id: CLUSTER.into(),
        incarnation_id: Uuid(incarnation.to_be_bytes()),
        listeners: vec![Listener {
            name: "PLAINTEXT".into(),
            host: "localhost".into(),
            port: 9092,
            ..Default::default()
        }],
        features: features(),
        log_dirs: vec![Uuid((1000 + broker as u128).to_be_bytes())],
        ..Default::default()
    }
}

impl Fixture {
    async fn register(&self, broker: i32, incarnation: u128) -> i64 {
        let request = registration(broker, incarnation);
        let response =
            broker_registration::handle(&self.controller, &cx::<BrokerRegistrationRequest>(), request).await;
        assert_eq!(response.error_code, ErrorCode::NONE);
        response.broker_epoch
    }

    async fn beat(&self, request: BrokerHeartbeatRequest) -> BrokerHeartbeatResponse {
        broker_heartbeat::handle(&self.controller, &cx::<BrokerHeartbeatRequest>(), request).await
    }

    async fn start_broker(&self, broker: i32) -> i64 {
        let epoch = self.register(broker, 1).await;
        let response = self.beat(heartbeat(broker, epoch)).await;
        assert!(!response.is_fenced && response.is_caught_up);
        epoch
    }

    async fn create(&self, topic: CreatableTopic) -> m::create_topics::CreatableTopicResult {
        let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
        create_topics::handle(&self.controller, &cx::<CreateTopicsRequest>(), request).await.topics.remove(0)
    }

    fn image(&self) -> std::sync::Arc<MetadataImage> {
        self.controller.image()
    }
}

fn heartbeat(broker: i32, epoch: i64) -> BrokerHeartbeatRequest {
    BrokerHeartbeatRequest {
        broker_id: broker,
        broker_epoch: epoch,
        current_metadata_offset: epoch,
        ..Default::default()
    }
}

fn topic(name: &str) -> CreatableTopic {
    CreatableTopic { name: name.into(), num_partitions: 2, replication_factor: 1, ..Default::default() }
}

#[tokio::test]
async fn a_broker_comes_up_and_leads_what_is_created() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    assert_eq!(f.image().brokers.get(NodeId(1)).unwrap().epoch.0, epoch);
    let configs = vec![CreatableTopicConfig {
        name: "retention.ms".into(),
        value: Some("7".into()),
        ..Default::default()
    }];
    let created = f.create(CreatableTopic { configs, ..topic("t") }).await;
    assert_eq!(
        (created.error_code, created.num_partitions, created.replication_factor),
        (ErrorCode::NONE, 2, 1)
    );
    let configs = created.configs.unwrap();
    let retention = configs.iter().find(|config| config.name == "retention.ms").unwrap();
    assert_eq!((retention.value.as_deref(), retention.config_source), (Some("7"), 1));
    assert!(configs.iter().any(|config| config.name == "segment.bytes" && config.config_source == 5));
    let image = f.image();
    assert_eq!(image.topics.by_name("t").unwrap().id, created.topic_id);
    assert!(image.topics.by_name("t").unwrap().partitions().all(|(_, p)| p.leader == NodeId(1)));
    let again = f.create(topic("t")).await;
    assert_eq!(again.error_code, ErrorCode::TOPIC_ALREADY_EXISTS);
    assert_eq!(again.error_message.as_deref(), Some("Topic 't' already exists."));
}

#[tokio::test]
async fn a_restarted_broker_leads_again_at_once() {
    let f = Fixture::new().await;
    f.start_broker(1).await;
    f.create(topic("t")).await;
    let epoch = f.register(1, 2).await;
    assert!(f.image().topics.by_name("t").unwrap().partitions().all(|(_, p)| !p.has_leader()));
    f.beat(heartbeat(1, epoch)).await;
    assert!(f.image().topics.by_name("t").unwrap().partitions().all(|(_, p)| p.leader == NodeId(1)));
}

#[tokio::test]
async fn a_stranger_waits_for_the_session_to_end() {
    let f = Fixture::new().await;
    f.start_broker(1).await;
    let stranger = || BrokerRegistrationRequest { log_dirs: vec![Uuid([9; 16])], ..registration(1, 5) };
    let register = async |request| {
        broker_registration::handle(&f.controller, &cx::<BrokerRegistrationRequest>(), request)
            .await
            .error_code
    };
    assert_eq!(register(stranger()).await, ErrorCode::DUPLICATE_BROKER_REGISTRATION);
    f.clock.advance(Duration::from_secs(60));
    assert_eq!(register(stranger()).await, ErrorCode::NONE);
}

#[tokio::test]
async fn silence_fences_and_a_heartbeat_unfences() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    let mut offsets = f.controller.subscribe();
    offsets.borrow_and_update();
    for _ in 0..40 {
        f.clock.advance(Duration::from_millis(50));
        f.controller.check_sessions();
    }
    offsets.changed().await.unwrap();
    assert!(f.image().brokers.get(NodeId(1)).unwrap().fenced);
    assert!(f.beat(heartbeat(1, epoch)).await.is_fenced, "it has not read that it was fenced");
    let current_metadata_offset = f.image().offset.0;
    let informed = BrokerHeartbeatRequest { current_metadata_offset, ..heartbeat(1, epoch) };
    assert!(!f.beat(informed).await.is_fenced);
}

/// As on the smaller side of a partition, where nothing is committed until it heals.
#[tokio::test]
async fn a_broker_whose_session_ends_again_before_its_fencing_is_committed_comes_back() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    let mut offsets = f.controller.subscribe();
    offsets.borrow_and_update();
    f.log.gate.forget_permits(Semaphore::MAX_PERMITS);
    for _ in 0..80 {
        f.clock.advance(Duration::from_millis(50));
        f.controller.check_sessions();
        tokio::task::yield_now().await;
    }
    f.log.gate.add_permits(Semaphore::MAX_PERMITS);
    offsets.changed().await.unwrap();
    // Decided behind both.
    f.create(topic("t")).await;
    assert!(f.image().brokers.get(NodeId(1)).unwrap().fenced);
    let current_metadata_offset = f.image().offset.0;
    let informed = BrokerHeartbeatRequest { current_metadata_offset, ..heartbeat(1, epoch) };
    assert!(!f.beat(informed).await.is_fenced);
}

/// An election that the former leader outlives, and its heartbeats while it does not hear of it.
#[tokio::test]
async fn a_leader_that_does_not_hear_of_its_successor_is_told_that_it_is_behind() {
    let f = &Fixture::new().await;
    let former = f.start_broker(1).await;
    f.start_broker(2).await;
    let assignment = CreatableReplicaAssignment { broker_ids: vec![1, 2], ..Default::default() };
    let topic = CreatableTopic {
        num_partitions: -1,
        replication_factor: -1,
        assignments: vec![assignment],
        ..topic("t")
    };
    f.create(topic).await;
    let topic_id = f.image().topics.by_name("t").unwrap().id;
    let beat = |offset: i64| {
        let request = BrokerHeartbeatRequest { current_metadata_offset: offset, ..heartbeat(1, former) };
        async move { f.beat(request).await }
    };
    let before = f.image().offset.0;
    assert!(beat(before).await.is_caught_up);
    let prefer = PartitionChangeRecord { partition_id: 0, topic_id, leader: 2, ..Default::default() };
    f.controller.decide(move |_| Decision { records: vec![prefer.into()], answer: () }).await.unwrap();
    assert!(beat(before).await.is_caught_up, "it had no time yet");
    let behind = beat(before).await;
    assert!(!behind.is_caught_up && !behind.is_fenced);
    assert!(beat(f.image().offset.0).await.is_caught_up);
}

#[tokio::test]
async fn a_controller_that_may_have_been_replaced_keeps_no_broker_alive() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    f.log.is_cut_off.store(true, Ordering::Relaxed);
    assert_eq!(f.beat(heartbeat(1, epoch)).await.error_code, ErrorCode::NOT_CONTROLLER);
    f.log.is_cut_off.store(false, Ordering::Relaxed);
    assert_eq!(f.beat(heartbeat(1, epoch)).await.error_code, ErrorCode::NONE);
}

#[tokio::test]
async fn a_broker_is_told_how_long_its_session_lasts() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    assert_eq!(f.beat(heartbeat(1, epoch)).await.session_timeout_ms, 2000);
}

/// Nothing listens where either broker should: one has died, to the other a firewall refuses connections.
#[tokio::test]
async fn a_new_active_controller_fences_at_once_only_whose_connection_has_ended() {
    let f = Fixture::new().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for broker in [2, 3] {
        let mut request = registration(broker, 1);
        request.listeners[0].host = "127.0.0.1".into();
        request.listeners[0].port = closed.port();
        let cx = cx::<BrokerRegistrationRequest>();
        let epoch = broker_registration::handle(&f.controller, &cx, request).await.broker_epoch;
        assert!(!f.beat(heartbeat(broker, epoch)).await.is_fenced);
    }
    f.log.lead(None);
    for (from_node, connection_id) in [(2, 20), (3, 30)] {
        let mut cx = cx::<RaftMessageRequest>();
        cx.connection_id = connection_id;
        let message = RaftMessageRequest { from_node, payload: "x".into(), ..Default::default() };
        raft_message::handle(&f.controller, &cx, message).await;
    }
    f.controller.connection_ended(30);
    assert_eq!(f.controller.broken_off(&f.image()), [NodeId(3)]);
    let mut offsets = f.controller.subscribe();
    f.log.lead(Some(2));
    let is_fenced = |broker| f.image().brokers.get(NodeId(broker)).unwrap().fenced;
    offsets.wait_for(|_| is_fenced(3)).await.unwrap();
    assert!(!is_fenced(2), "its session lasts");
}

#[tokio::test]
async fn heartbeats_of_the_past_are_stale() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    f.register(1, 2).await;
    assert_eq!(f.beat(heartbeat(1, epoch)).await.error_code, ErrorCode::STALE_BROKER_EPOCH);
    assert_eq!(f.beat(heartbeat(9, epoch)).await.error_code, ErrorCode::STALE_BROKER_EPOCH);
}

#[tokio::test]
async fn the_last_broker_may_stop_at_once() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    f.create(topic("t")).await;
    let response = f.beat(BrokerHeartbeatRequest { want_shut_down: true, ..heartbeat(1, epoch) }).await;
    assert!(response.should_shut_down && response.is_fenced);
}

#[tokio::test]
async fn leaders_move_before_a_broker_stops() {
    let f = Fixture::new().await;
    let (one, two) = (f.start_broker(1).await, f.start_broker(2).await);
    f.create(CreatableTopic { replication_factor: 2, ..topic("t") }).await;
    let stop = || BrokerHeartbeatRequest { want_shut_down: true, ..heartbeat(1, one) };
    assert!(!f.beat(stop()).await.should_shut_down);
    assert!(f.image().topics.by_name("t").unwrap().partitions().all(|(_, p)| p.leader == NodeId(2)));
    assert!(!f.beat(stop()).await.should_shut_down, "broker 2 has not seen it yet");
    let seen = f.image().offset.0;
    f.beat(BrokerHeartbeatRequest { current_metadata_offset: seen, ..heartbeat(2, two) }).await;
    assert!(f.beat(stop()).await.should_shut_down);
}

#[tokio::test]
async fn only_the_active_controller_answers() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    f.log.lead(None);
    assert_eq!(f.beat(heartbeat(1, epoch)).await.error_code, ErrorCode::NOT_CONTROLLER);
    assert_eq!(f.create(topic("t")).await.error_code, ErrorCode::NOT_CONTROLLER);
    assert!(!f.controller.is_active());
    f.log.lead(Some(3));
    assert!(f.create(topic("t")).await.error_code.is_none());
}
