//! Reading configurations.

use std::fmt;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use ottla_types::{NodeId, TopicName};

use super::{Admin, silent};
use crate::cluster::Retry;
use crate::error::check;
use crate::{ClientError, Result};

/// What has a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConfigResource {
    /// A topic.
    Topic(TopicName),
    /// One broker; `None` is the default of all of them.
    Broker(Option<NodeId>),
    /// A group.
    Group(String),
}

impl ConfigResource {
    /// Kafka's number and name for it (`ConfigResource.Type`).
    pub(super) fn wire(&self) -> (i8, String) {
        match self {
            Self::Topic(name) => (2, name.to_string()),
            Self::Broker(id) => (4, id.map_or_else(String::new, |id| id.to_string())),
            Self::Group(id) => (32, id.clone()),
        }
    }

    /// The broker that has to be asked, if only one can answer.
    pub(super) const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Broker(id) => *id,
            _ => None,
        }
    }
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topic {name}"),
            Self::Broker(Some(id)) => write!(f, "broker {id}"),
            Self::Broker(None) => f.write_str("all brokers"),
            Self::Group(id) => write!(f, "group {id}"),
        }
    }
}

/// Where a value comes from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigSource {
    /// Set for this topic.
    Topic,
    /// Set for the client metrics subscription.
    ClientMetrics,
    /// Set for this group.
    Group,
    /// Set for this broker while it runs.
    DynamicBroker,
    /// Set for all brokers while they run.
    DynamicDefaultBroker,
    /// Set for this broker's loggers.
    DynamicBrokerLogger,
    /// In the broker's file.
    StaticBroker,
    /// Set nowhere.
    Default,
    /// Of a newer version, or not told.
    Unknown,
}

impl ConfigSource {
    const fn from_wire(source: i8) -> Self {
        match source {
            1 => Self::Topic,
            2 => Self::DynamicBroker,
            3 => Self::DynamicDefaultBroker,
            4 => Self::StaticBroker,
            5 => Self::Default,
            6 => Self::DynamicBrokerLogger,
            7 => Self::ClientMetrics,
            8 => Self::Group,
            _ => Self::Unknown,
        }
    }

    /// Kafka's name for it (`ConfigEntry.ConfigSource`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Topic => "DYNAMIC_TOPIC_CONFIG",
            Self::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
            Self::Group => "DYNAMIC_GROUP_CONFIG",
            Self::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
            Self::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            Self::DynamicBrokerLogger => "DYNAMIC_BROKER_LOGGER_CONFIG",
            Self::StaticBroker => "STATIC_BROKER_CONFIG",
            Self::Default => "DEFAULT_CONFIG",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A setting and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The setting.
    pub name: String,
    /// Its value; `None` if it has none or is secret.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Whether its value is secret.
    pub sensitive: bool,
    /// Everything that could set the value, the strongest first.
    pub synonyms: Vec<ConfigSynonym>,
    /// What it does, if the broker tells.
    pub documentation: Option<String>,
}

/// One of the things that could set a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The setting there.
    pub name: String,
    /// Its value there.
    pub value: Option<String>,
    /// Where.
    pub source: ConfigSource,
}

impl Admin {
    /// The configuration of a topic, broker or group, by name.
    pub async fn describe_configs(&self, resource: &ConfigResource) -> Result<Vec<ConfigEntry>> {
        let what = format!("describing the configuration of {resource}");
        let (resource_type, resource_name) = resource.wire();
        let wire = DescribeConfigsResource {
            resource_type,
            resource_name: resource_name.into(),
            configuration_keys: None,
            ..DescribeConfigsResource::default()
        };
        let request = DescribeConfigsRequest {
            resources: vec![wire],
            include_synonyms: true,
            include_documentation: true,
            ..DescribeConfigsRequest::default()
        };
        let mut retry = Retry::new(&self.cluster, what.clone());
        loop {
            match self.ask_configs(resource, &request, &what).await {
                Ok(entries) => return Ok(entries),
                // Named by the caller: more likely a wrong id than one that comes back.
                Err(e @ ClientError::UnknownBroker { .. }) => return Err(e),
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_configs(
        &self,
        resource: &ConfigResource,
        request: &DescribeConfigsRequest,
        what: &str,
    ) -> Result<Vec<ConfigEntry>> {
        let connection = match resource.node() {
            Some(id) => self.cluster.broker(id).await?,
            None => self.cluster.any().await?,
        };
        // Documentation came with version 3.
        let documented = connection.version_of::<DescribeConfigsRequest>()? >= 3;
        let request = DescribeConfigsRequest { include_documentation: documented, ..request.clone() };
        let response = connection.call(&request).await?;
        let result = response.results.into_iter().next().ok_or_else(|| silent(&connection, what))?;
        if let (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ConfigResource::Topic(topic)) =
            (result.error_code, resource)
        {
            return Err(ClientError::UnknownTopic { topic: topic.clone() });
        }
        check(result.error_code, result.error_message.as_deref(), || what.to_owned())?;
        let mut entries: Vec<_> = result.configs.into_iter().map(entry).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

fn entry(config: DescribeConfigsResourceResult) -> ConfigEntry {
    ConfigEntry {
        name: config.name.to_string(),
        value: config.value.map(|v| v.to_string()),
        source: ConfigSource::from_wire(config.config_source),
        read_only: config.read_only,
        sensitive: config.is_sensitive,
        synonyms: config
            .synonyms
            .into_iter()
            .map(|s| ConfigSynonym {
                name: s.name.to_string(),
                value: s.value.map(|v| v.to_string()),
                source: ConfigSource::from_wire(s.source),
            })
            .collect(),
        documentation: config.documentation.map(|d| d.to_string()),
    }
}
