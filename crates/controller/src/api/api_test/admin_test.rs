//! Facts about the feed, topics, features and the quorum.

use super::*;

#[tokio::test]
async fn the_feed_gives_batches_then_waits() {
    let f = Fixture::new().await;
    f.start_broker(1).await;
    let fetch = async |offset, max_wait_ms| {
        let request = FetchMetadataRequest { offset, max_wait_ms, max_bytes: 1 << 20, ..Default::default() };
        fetch_metadata::handle(&f.controller, &cx::<FetchMetadataRequest>(), request).await
    };
    let response = fetch(-1, 0).await;
    let mut image = MetadataImage::empty();
    for entry in &response.entries {
        let batch = RecordBatch::decode(entry.payload.clone()).unwrap();
        assert_eq!(batch.base_offset.0, entry.offset);
        image = image.apply(&batch.records).unwrap().0;
    }
    assert_eq!(image, *f.image());
    assert_eq!((response.end_offset, response.leader_id, response.epoch), (image.offset.0, 1, 1));
    let nothing = fetch(image.offset.0, 1).await;
    assert!(nothing.entries.is_empty() && nothing.snapshot.is_none());
    let (later, _) = tokio::join!(fetch(image.offset.0, 10_000), f.create(topic("t")));
    assert_eq!(later.entries.len(), 1);
    let middle = fetch(image.offset.0 + 1, 0).await;
    let snapshot = MetadataImage::decode_snapshot(middle.snapshot.unwrap()).unwrap();
    assert_eq!(snapshot, *f.image(), "who is where no batch starts gets everything");
    assert_eq!(middle.snapshot_offset, snapshot.offset.0);
    let behind = fetch(1_000_000, 0).await;
    assert!(behind.snapshot.is_none(), "a controller that was replaced takes nothing back");
}

#[tokio::test]
async fn the_feed_is_for_one_cluster() {
    let f = Fixture::new().await;
    let request = FetchMetadataRequest { cluster_id: "other".into(), ..Default::default() };
    let response = fetch_metadata::handle(&f.controller, &cx::<FetchMetadataRequest>(), request).await;
    assert_eq!(response.error_code, ErrorCode::INCONSISTENT_CLUSTER_ID);
}

#[tokio::test]
async fn topics_grow_change_and_go() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    let id = f.create(topic("t")).await.topic_id;
    let request = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: "t".into(),
            count: 3,
            assignments: None,
            ..Default::default()
        }],
        ..Default::default()
    };
    let grown = create_partitions::handle(&f.controller, &cx::<CreatePartitionsRequest>(), request).await;
    assert!(grown.results[0].error_code.is_none());
    assert_eq!(f.image().topics.by_id(id).unwrap().partition_count(), 3);

    let config = incremental::AlterableConfig {
        name: "retention.ms".into(),
        value: Some("9".into()),
        ..Default::default()
    };
    let resource = |kind, operation| incremental::AlterConfigsResource {
        resource_type: kind,
        resource_name: "t".into(),
        configs: vec![incremental::AlterableConfig { config_operation: operation, ..config.clone() }],
        ..Default::default()
    };
    for (kind, operation, expected) in
        [(2, 0, ErrorCode::NONE), (2, 9, ErrorCode::INVALID_REQUEST), (3, 0, ErrorCode::INVALID_REQUEST)]
    {
        let request = IncrementalAlterConfigsRequest {
            resources: vec![resource(kind, operation)],
            ..Default::default()
        };
        let cx = cx::<IncrementalAlterConfigsRequest>();
        let changed = incremental_alter_configs::handle(&f.controller, &cx, request).await;
        assert_eq!(changed.responses[0].error_code, expected);
    }
    let request = AlterConfigsRequest {
        resources: vec![m::alter_configs::AlterConfigsResource {
            resource_type: 2,
            resource_name: "t".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    alter_configs::handle(&f.controller, &cx::<AlterConfigsRequest>(), request).await;
    assert_eq!(f.image().configs.iter().count(), 0, "the old way replaces everything");

    let partition = PartitionData {
        new_isr_with_epochs: vec![BrokerState { broker_id: 1, broker_epoch: epoch, ..Default::default() }],
        ..Default::default()
    };
    let request = AlterPartitionRequest {
        broker_id: 1,
        broker_epoch: epoch,
        topics: vec![TopicData {
            topic_id: id,
            partitions: vec![partition.clone(), PartitionData { partition_index: 9, ..partition }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let altered = alter_partition::handle(&f.controller, &cx::<AlterPartitionRequest>(), request).await;
    let codes: Vec<_> = altered.topics[0].partitions.iter().map(|partition| partition.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION]);

    let topics = vec![
        DeleteTopicState { name: Some("gone".into()), ..Default::default() },
        DeleteTopicState { name: Some("t".into()), topic_id: id, ..Default::default() },
        DeleteTopicState { topic_id: id, ..Default::default() },
    ];
    let request = DeleteTopicsRequest { topics, ..Default::default() };
    let deleted = delete_topics::handle(&f.controller, &cx::<DeleteTopicsRequest>(), request).await;
    let mut codes: Vec<_> = deleted.responses.iter().map(|topic| topic.error_code.code()).collect();
    codes.sort();
    assert_eq!(codes, [0, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.code(), ErrorCode::INVALID_REQUEST.code()]);
    assert!(f.image().topics.is_empty());
}

#[tokio::test]
async fn producer_ids_features_and_elections() {
    let f = Fixture::new().await;
    let epoch = f.start_broker(1).await;
    f.create(topic("t")).await;
    let request = AllocateProducerIdsRequest { broker_id: 1, broker_epoch: epoch, ..Default::default() };
    let block =
        allocate_producer_ids::handle(&f.controller, &cx::<AllocateProducerIdsRequest>(), request).await;
    assert_eq!((block.producer_id_start, block.producer_id_len), (0, 1000));
    let update = m::update_features::FeatureUpdateKey {
        feature: "no.such".into(),
        max_version_level: 1,
        ..Default::default()
    };
    let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
    let updated = update_features::handle(&f.controller, &cx::<UpdateFeaturesRequest>(), request).await;
    assert_eq!(updated.error_code, ErrorCode::INVALID_UPDATE_VERSION);
    let request = ElectLeadersRequest { topic_partitions: None, ..Default::default() };
    let elected = elect_leaders::handle(&f.controller, &cx::<ElectLeadersRequest>(), request).await;
    assert!(elected.replica_election_results.is_empty(), "nobody needs one");
    let request = UnregisterBrokerRequest { broker_id: 7, ..Default::default() };
    let gone = unregister_broker::handle(&f.controller, &cx::<UnregisterBrokerRequest>(), request).await;
    assert_eq!(gone.error_code, ErrorCode::BROKER_ID_NOT_REGISTERED);
}

/// A voter that cannot be asked may be of a build that could not read what would be written then.
#[tokio::test]
async fn nothing_is_finalized_while_a_voter_is_away() {
    let f = Fixture::new().await;
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    f.log.add_voter(NodeId(2), &gone.to_string());
    let update = m::update_features::FeatureUpdateKey {
        feature: "eligible.leader.replicas.version".into(),
        max_version_level: 0,
        upgrade_type: 2,
        ..Default::default()
    };
    let request = UpdateFeaturesRequest { feature_updates: vec![update], ..Default::default() };
    let refused = update_features::handle(&f.controller, &cx::<UpdateFeaturesRequest>(), request).await;
    assert_eq!(refused.error_code, ErrorCode::INVALID_UPDATE_VERSION);
    let text = refused.error_message.unwrap();
    assert!(text.contains("Controller 2 does not answer"), "{text}");
    assert!(f.image().features.elr_enabled());
}

#[tokio::test]
async fn the_quorum_can_be_looked_at() {
    let f = Fixture::new().await;
    f.controller.advertise("CONTROLLER", "localhost", 9093);
    let topics = vec![m::describe_quorum::TopicData {
        topic_name: "__cluster_metadata".into(),
        partitions: vec![m::describe_quorum::PartitionData::default()],
        ..Default::default()
    }];
    let epoch = f.start_broker(7).await;
    let request = DescribeQuorumRequest { topics, ..Default::default() };
    let cx_of_it = cx::<DescribeQuorumRequest>();
    let quorum = describe_quorum::handle(&f.controller, &cx_of_it, request.clone()).await;
    let observer = &quorum.topics[0].partitions[0].observers[0];
    assert_eq!(
        (observer.replica_id, observer.last_caught_up_timestamp),
        (7, -1),
        "it has yet to hear that it is unfenced"
    );
    let current_metadata_offset = f.image().offset.0;
    f.beat(BrokerHeartbeatRequest { current_metadata_offset, ..heartbeat(7, epoch) }).await;
    let quorum = describe_quorum::handle(&f.controller, &cx_of_it, request).await;
    let partition = &quorum.topics[0].partitions[0];
    let observer = &partition.observers[0];
    assert_eq!(observer.log_end_offset, partition.high_watermark);
    assert_ne!(observer.last_caught_up_timestamp, -1);
    assert_eq!((partition.leader_id, partition.current_voters[0].log_end_offset), (1, 42));
    assert_eq!(quorum.nodes[0].listeners[0].port, 9093);
    let request = DescribeClusterRequest { endpoint_type: 2, ..Default::default() };
    let cluster = describe_cluster::handle(&f.controller, &cx::<DescribeClusterRequest>(), request).await;
    assert_eq!((cluster.controller_id, cluster.brokers[0].port), (1, 9093));
    let request = DescribeClusterRequest { endpoint_type: 1, ..Default::default() };
    let cluster = describe_cluster::handle(&f.controller, &cx_in(ApiKey::DESCRIBE_CLUSTER, 1), request).await;
    assert_eq!(cluster.error_code, ErrorCode::MISMATCHED_ENDPOINT_TYPE);
    let message = |kind| RaftMessageRequest { kind, payload: "x".into(), ..Default::default() };
    let cx = cx::<RaftMessageRequest>();
    assert_eq!(raft_message::handle(&f.controller, &cx, message(0)).await.payload, "x");
    assert!(raft_message::handle(&f.controller, &cx, message(99)).await.error_code.is_error());
}
