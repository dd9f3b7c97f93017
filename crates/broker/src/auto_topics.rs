//! Creates topics that clients name before they exist (`auto.create.topics.enable`), and internal topics.

use std::str::FromStr;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use ottla_types::{ByteString, TopicName};

use crate::Broker;

/// How long a request waits for a topic that was just created to show in this broker's metadata.
const VISIBLE_WITHIN: Duration = Duration::from_secs(2);

/// A topic that could not be created, and what to tell the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopicWanted {
    pub(crate) name: TopicName,
    pub(crate) error: ErrorCode,
}

/// Creates topics on demand.
#[derive(Debug)]
pub(crate) struct AutoTopics<'a> {
    broker: &'a Broker,
}

impl<'a> AutoTopics<'a> {
    pub(crate) fn new(broker: &'a Broker) -> Self {
        Self { broker }
    }

    /// Creates `names` and waits until this broker knows them. Returns those that failed.
    pub(crate) async fn create(&self, names: &[TopicName]) -> Vec<TopicWanted> {
        if names.is_empty() {
            return Vec::new();
        }
        let topics = names.iter().map(|name| self.creatable(name)).collect();
        let request = CreateTopicsRequest { topics, timeout_ms: 30_000, ..Default::default() };
        let Ok(response) = self.broker.channel().send(&request).await else {
            // The client asks again.
            return failed(names, ErrorCode::LEADER_NOT_AVAILABLE);
        };
        let mut refused = Vec::new();
        let mut created = Vec::new();
        for result in response.topics {
            let name = TopicName::from(result.name);
            match result.error_code {
                ErrorCode::NONE | ErrorCode::TOPIC_ALREADY_EXISTS => created.push(name),
                error => refused.push(TopicWanted { name, error: as_metadata_error(error) }),
            }
        }
        let visible = self.broker.metadata().wait_for(VISIBLE_WITHIN, |image| {
            created.iter().all(|name| image.topics.by_name(name.as_str()).is_some())
        });
        if visible.await.is_err() {
            refused.extend(failed(&created, ErrorCode::LEADER_NOT_AVAILABLE));
        }
        refused
    }

    fn creatable(&self, name: &TopicName) -> CreatableTopic {
        let config = self.broker.config();
        if name.as_str() == crate::OFFSETS_TOPIC {
            let configs = [
                ("compression.type", "producer".to_owned()),
                ("cleanup.policy", "compact".to_owned()),
                ("segment.bytes", config.offsets.topic_segment_bytes.to_string()),
            ];
            return CreatableTopic {
                name: name.clone().into(),
                num_partitions: config.offsets.topic_num_partitions,
                replication_factor: config.offsets.topic_replication_factor,
                configs: configs.into_iter().map(|(key, value)| topic_config(key, value)).collect(),
                ..Default::default()
            };
        }
        CreatableTopic {
            name: name.clone().into(),
            num_partitions: self.given("num.partitions").unwrap_or(-1),
            replication_factor: self.given("default.replication.factor").unwrap_or(-1),
            ..Default::default()
        }
    }

    /// What this broker was started with counts here (`AutoTopicCreationManager`); without it, −1, the controller's own settings
    /// do, as where a client creates topics.
    fn given<T: FromStr>(&self, key: &str) -> Option<T> {
        self.broker.configs().given(key)?.trim().parse().ok()
    }
}

fn topic_config(name: &str, value: String) -> CreatableTopicConfig {
    CreatableTopicConfig { name: name.into(), value: Some(ByteString::from(value)), ..Default::default() }
}

fn failed(names: &[TopicName], error: ErrorCode) -> Vec<TopicWanted> {
    names.iter().map(|name| TopicWanted { name: name.clone(), error }).collect()
}

/// A client that asked for metadata cannot do anything with the details of a failed creation.
fn as_metadata_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::INVALID_TOPIC_EXCEPTION | ErrorCode::TOPIC_AUTHORIZATION_FAILED => error,
        ErrorCode::INVALID_REPLICATION_FACTOR | ErrorCode::INVALID_PARTITIONS => error,
        _ => ErrorCode::LEADER_NOT_AVAILABLE,
    }
}
