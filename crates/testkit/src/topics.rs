//! Topics by raw protocol.

use ottla_protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreatableTopicResult,
    CreateTopicsRequest,
};
use ottla_protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use ottla_protocol::messages::describe_quorum::{PartitionData, TopicData};
use ottla_protocol::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponsePartition, TopicRequest,
};
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponseTopic};
use ottla_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use ottla_protocol::{ErrorCode, Uuid};

use crate::{LATEST, RawClient, eventually};

/// A topic to create.
#[derive(Clone, Debug)]
pub struct TopicSpec<'a> {
    name: &'a str,
    partitions: i32,
    replicas: i16,
    brokers: &'a [i32],
    configs: Vec<(&'a str, &'a str)>,
}

impl<'a> TopicSpec<'a> {
    /// One partition, default configs.
    pub const fn new(name: &'a str) -> Self {
        Self { name, partitions: 1, replicas: 1, brokers: &[], configs: Vec::new() }
    }

    /// Sets how many partitions it has.
    #[must_use]
    pub const fn partitions(mut self, count: i32) -> Self {
        self.partitions = count;
        self
    }

    /// Sets how many brokers hold each partition.
    #[must_use]
    pub const fn replicas(mut self, count: i16) -> Self {
        self.replicas = count;
        self
    }

    /// Puts its only partition on these brokers, the first of which leads it.
    #[must_use]
    pub const fn on(mut self, brokers: &'a [i32]) -> Self {
        self.brokers = brokers;
        self
    }

    /// Sets a config.
    #[must_use]
    pub fn config(mut self, key: &'a str, value: &'a str) -> Self {
        self.configs.push((key, value));
        self
    }

    /// The entry of a CreateTopics request.
    pub fn to_creatable(&self) -> CreatableTopic {
        let config = |&(name, value): &(&'a str, &'a str)| CreatableTopicConfig {
            name: name.into(),
            value: Some(value.into()),
            ..Default::default()
        };
        let is_placed = !self.brokers.is_empty();
        let assignment =
            CreatableReplicaAssignment { broker_ids: self.brokers.to_vec(), ..Default::default() };
        CreatableTopic {
            name: self.name.into(),
            num_partitions: if is_placed { -1 } else { self.partitions },
            replication_factor: if is_placed { -1 } else { self.replicas },
            assignments: if is_placed { vec![assignment] } else { Vec::new() },
            configs: self.configs.iter().map(config).collect(),
            ..Default::default()
        }
    }
}

impl RawClient {
    /// Creates a topic of one partition and waits until it can be used; returns its id.
    pub fn create_topic(&mut self, name: &str) -> Uuid {
        self.create(&TopicSpec::new(name))
    }

    /// Creates a topic and waits until all its partitions have a leader; returns its id.
    pub fn create(&mut self, topic: &TopicSpec<'_>) -> Uuid {
        let result = self.try_create(topic);
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
        self.wait_for_topic(topic.name, result.topic_id, topic.partitions);
        result.topic_id
    }

    /// The controller's answer to the creation of a topic.
    pub fn try_create(&mut self, topic: &TopicSpec<'_>) -> CreatableTopicResult {
        let request = CreateTopicsRequest {
            topics: vec![topic.to_creatable()],
            timeout_ms: 10_000,
            ..Default::default()
        };
        self.call(7, &request).topics.remove(0)
    }

    /// Deletes a topic by name and waits until the broker has forgotten it.
    pub fn delete_topic(&mut self, name: &str) {
        let state = DeleteTopicState { name: Some(name.into()), ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![state], timeout_ms: 10_000, ..Default::default() };
        let result = self.call(6, &request).responses.remove(0);
        assert_eq!(result.error_code, ErrorCode::NONE, "{result:?}");
        eventually(&format!("{name} is still there"), || {
            (self.topic(name).error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).then_some(())
        });
    }

    /// What Metadata says of a topic, without creating it.
    pub fn topic(&mut self, name: &str) -> MetadataResponseTopic {
        let topic = MetadataRequestTopic { name: Some(name.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        self.call(12, &request).topics.remove(0)
    }

    /// What the metadata says of one partition, with who is eligible to lead it.
    pub fn describe_partition(
        &mut self,
        topic: &str,
        partition: i32,
    ) -> DescribeTopicPartitionsResponsePartition {
        let topics = vec![TopicRequest { name: topic.into(), ..Default::default() }];
        let request =
            DescribeTopicPartitionsRequest { topics, response_partition_limit: 2000, ..Default::default() };
        let partitions = self.call(0, &request).topics.remove(0).partitions;
        let found = partitions.into_iter().find(|found| found.partition_index == partition);
        found.unwrap_or_else(|| panic!("there is no {topic}-{partition}"))
    }

    /// Waits until Metadata shows the topic with this id.
    pub fn wait_for_metadata(&mut self, name: &str, id: Uuid) {
        eventually(&format!("{name} is not known"), || (self.topic(name).topic_id == id).then_some(()));
    }

    /// Waits until Metadata shows the topic with this id and so many led partitions, and their leaders know what is
    /// committed: after a crash they sync first (OFFSET_NOT_AVAILABLE, KIP-207).
    pub fn wait_for_topic(&mut self, name: &str, id: Uuid, partitions: i32) {
        eventually(&format!("{name} has no leaders"), || {
            let topic = self.topic(name);
            let led = topic.partitions.iter().filter(|p| p.error_code == ErrorCode::NONE && p.leader_id >= 0);
            let there = topic.error_code == ErrorCode::NONE
                && topic.topic_id == id
                && led.count() == usize::try_from(partitions).unwrap();
            there.then_some(())
        });
        for partition in 0..partitions {
            eventually(&format!("{name}-{partition} does not know what is committed"), || {
                (self.list_offset_of(name, partition, LATEST).error_code == ErrorCode::NONE).then_some(())
            });
        }
    }
}

/// What the quorum says of itself, asked through a broker.
pub fn describe_quorum(client: &mut RawClient) -> DescribeQuorumResponse {
    let partition = PartitionData::default();
    let topic = TopicData {
        topic_name: "__cluster_metadata".into(),
        partitions: vec![partition],
        ..Default::default()
    };
    client.call(2, &DescribeQuorumRequest { topics: vec![topic], ..Default::default() })
}
