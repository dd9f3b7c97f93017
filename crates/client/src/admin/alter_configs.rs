//! Changing configurations (KIP-339).

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use super::{Admin, ConfigResource, silent};
use crate::cluster::Retry;
use crate::error::check;
use crate::{ClientError, Result};

/// A change of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigChange {
    /// Gives it a value.
    Set(String, String),
    /// Takes its value away, so that the default counts again.
    Delete(String),
    /// Adds values to a list.
    Append(String, String),
    /// Removes values from a list.
    Subtract(String, String),
}

impl Admin {
    /// Changes settings of a topic, broker or group; all others stay.
    pub async fn alter_configs(&self, resource: &ConfigResource, changes: &[ConfigChange]) -> Result<()> {
        let what = format!("changing the configuration of {resource}");
        let (resource_type, resource_name) = resource.wire();
        let wire = AlterConfigsResource {
            resource_type,
            resource_name: resource_name.into(),
            configs: changes.iter().map(wire).collect(),
            ..AlterConfigsResource::default()
        };
        let request = IncrementalAlterConfigsRequest {
            resources: vec![wire],
            ..IncrementalAlterConfigsRequest::default()
        };
        let mut retry = Retry::new(&self.cluster, what.clone());
        loop {
            match self.ask_change(resource, &request, &what).await {
                Ok(()) => return Ok(()),
                // Named by the caller: more likely a wrong id than one that comes back.
                Err(e @ ClientError::UnknownBroker { .. }) => return Err(e),
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_change(
        &self,
        resource: &ConfigResource,
        request: &IncrementalAlterConfigsRequest,
        what: &str,
    ) -> Result<()> {
        let connection = match resource.node() {
            Some(id) => self.cluster.broker(id).await?,
            None => self.cluster.controller().await?,
        };
        let response = connection.call(request).await?;
        let result = response.responses.into_iter().next().ok_or_else(|| silent(&connection, what))?;
        if let (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, ConfigResource::Topic(topic)) =
            (result.error_code, resource)
        {
            return Err(ClientError::UnknownTopic { topic: topic.clone() });
        }
        check(result.error_code, result.error_message.as_deref(), || what.to_owned())
    }
}

fn wire(change: &ConfigChange) -> AlterableConfig {
    let (name, config_operation, value) = match change {
        ConfigChange::Set(name, value) => (name, 0, Some(value)),
        ConfigChange::Delete(name) => (name, 1, None),
        ConfigChange::Append(name, value) => (name, 2, Some(value)),
        ConfigChange::Subtract(name, value) => (name, 3, Some(value)),
    };
    AlterableConfig {
        name: name.as_str().into(),
        config_operation,
        value: value.map(|v| v.as_str().into()),
        ..AlterableConfig::default()
    }
}
