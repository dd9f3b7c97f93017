//! Creating topics.

use ottla_protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use ottla_types::{ByteString, NodeId, TopicId, TopicName};

use super::{Admin, silent};
use crate::Result;
use crate::error::check;

/// A topic to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: TopicName,
    /// How many partitions; `None` is the brokers' `num.partitions`.
    pub partitions: Option<i32>,
    /// How many replicas of each; `None` is the brokers' `default.replication.factor`.
    pub replication_factor: Option<i16>,
    /// The replicas of each partition, the preferred leader first; instead of the two numbers.
    pub assignments: Vec<Vec<NodeId>>,
    /// Settings that differ from the brokers' defaults.
    pub configs: Vec<(String, String)>,
}

impl NewTopic {
    /// A topic with the brokers' defaults.
    pub fn new(name: impl Into<TopicName>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Sets the number of partitions.
    #[must_use]
    pub const fn partitions(mut self, count: i32) -> Self {
        self.partitions = Some(count);
        self
    }

    /// Sets the number of replicas of each partition.
    #[must_use]
    pub const fn replication_factor(mut self, count: i16) -> Self {
        self.replication_factor = Some(count);
        self
    }

    /// Sets a topic configuration, such as `cleanup.policy`.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.configs.push((name.into(), value.into()));
        self
    }
}

/// A topic that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: TopicName,
    /// Its id; zero from brokers without topic ids.
    pub id: TopicId,
    /// How many partitions it has, if the broker tells.
    pub partitions: Option<i32>,
    /// How many replicas each has, if the broker tells.
    pub replication_factor: Option<i16>,
}

impl Admin {
    /// Creates a topic.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<CreatedTopic> {
        self.create(topic, false).await
    }

    /// Checks whether a topic could be created, and creates nothing.
    pub async fn validate_topic(&self, topic: NewTopic) -> Result<CreatedTopic> {
        self.create(topic, true).await
    }

    async fn create(&self, topic: NewTopic, validate_only: bool) -> Result<CreatedTopic> {
        let what = format!("creating topic {}", topic.name);
        let request = CreateTopicsRequest {
            topics: vec![wire(&topic)],
            timeout_ms: self.timeout_ms(),
            validate_only,
            ..CreateTopicsRequest::default()
        };
        let (request, what) = (&request, &what);
        self.at_controller(what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            let result = response.topics.into_iter().next().ok_or_else(|| silent(&connection, what))?;
            check(result.error_code, result.error_message.as_deref(), || what.clone())?;
            Ok(CreatedTopic {
                name: result.name.into(),
                id: result.topic_id,
                partitions: Some(result.num_partitions).filter(|n| *n > 0),
                replication_factor: Some(result.replication_factor).filter(|n| *n > 0),
            })
        })
        .await
    }
}

fn wire(topic: &NewTopic) -> CreatableTopic {
    let assigned = !topic.assignments.is_empty();
    let assignments =
        topic.assignments.iter().zip(0..).map(|(nodes, partition_index)| CreatableReplicaAssignment {
            partition_index,
            broker_ids: nodes.iter().map(|n| n.0).collect(),
            ..CreatableReplicaAssignment::default()
        });
    let configs = topic.configs.iter().map(|(name, value)| CreatableTopicConfig {
        name: name.as_str().into(),
        value: Some(value.as_str().into()),
        ..CreatableTopicConfig::default()
    });
    CreatableTopic {
        name: ByteString::from(topic.name.clone()),
        // −1 is the brokers' default, or "see the assignments".
        num_partitions: topic.partitions.filter(|_| !assigned).unwrap_or(-1),
        replication_factor: topic.replication_factor.filter(|_| !assigned).unwrap_or(-1),
        assignments: assignments.collect(),
        configs: configs.collect(),
        ..CreatableTopic::default()
    }
}
