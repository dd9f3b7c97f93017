//! What the two ways of altering configs share: which resources there are, judging the outcome, writing records.

use std::collections::BTreeSet;

use ottla_config::{
    ConfigRejected, validate_broker, validate_client_metrics, validate_group, validate_topic,
};
use ottla_protocol::records::metadata::ConfigRecord;
use ottla_types::{ByteString, NodeId, TopicNameError};

use crate::image::{ConfigMap, ConfigResource, MetadataImage, ResourceKind};
use crate::settings::Settings;
use ottla_protocol::records::metadata::MetadataRecord;

/// Why a resource's configs stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlterConfigError {
    /// The resource occurs twice in the request.
    #[error("Each resource must appear at most once: {resource} appears more often")]
    DuplicateResource {
        /// Which.
        resource: ConfigResource,
    },
    /// A key occurs twice for the resource.
    #[error("Error due to duplicate config keys: {key}")]
    DuplicateKey {
        /// Which.
        key: ByteString,
    },
    /// A value is missing.
    #[error("Null value not supported for : {key}")]
    NullValue {
        /// Whose.
        key: ByteString,
    },
    /// A list operation on a key that is no list.
    #[error("Can't {operation} to key {key} because its type is not LIST.")]
    NotAList {
        /// `APPEND` or `SUBTRACT`.
        operation: &'static str,
        /// Which key.
        key: ByteString,
    },
    /// Every topic has a name.
    #[error("Default topic resources are not allowed.")]
    DefaultTopic,
    /// A topic cannot have this name.
    #[error(transparent)]
    TopicName(#[from] TopicNameError),
    /// There is no such topic.
    #[error("The topic '{name}' does not exist.")]
    UnknownTopic {
        /// Its name.
        name: ByteString,
    },
    /// A broker's name is its id.
    #[error("Unable to parse broker name '{name}' as a base 10 number.")]
    BrokerName {
        /// What was given.
        name: ByteString,
    },
    /// There is no such broker.
    #[error("No node with id {id} found.")]
    UnknownBroker {
        /// Its id.
        id: NodeId,
    },
    /// Every group has a name.
    #[error("Default group resources are not allowed.")]
    DefaultGroup,
    /// Every client metrics subscription has a name.
    #[error("Subscription name can't be empty")]
    UnnamedSubscription,
    /// A key or value is not allowed.
    #[error(transparent)]
    Rejected(#[from] ConfigRejected),
    /// A key or value is not allowed for a broker, or not while it runs.
    #[error(transparent)]
    RejectedForBroker(ConfigRejected),
    /// One broker cannot count otherwise than the others and the controller (KIP-966).
    #[error("Broker-level min.insync.replicas cannot be altered while ELR is enabled.")]
    MinIsrOfBroker,
    /// What all count by cannot be left to each of them (KIP-966).
    #[error("Cluster-level min.insync.replicas cannot be removed while ELR is enabled.")]
    MinIsrRemoved,
    /// A broker's settings would contradict each other.
    #[error("Invalid dynamic configuration: {reason}")]
    Conflict {
        /// How, and what to do.
        reason: String,
    },
}

/// The resources that occur more than once.
pub(crate) fn repeated<'a>(
    resources: impl Iterator<Item = &'a ConfigResource>,
) -> BTreeSet<&'a ConfigResource> {
    let mut seen = BTreeSet::new();
    resources.filter(|resource| !seen.insert(*resource)).collect()
}

/// Whether `resource` can have configs: its name makes sense and it exists.
pub(crate) fn check_resource(
    image: &MetadataImage,
    settings: &Settings,
    resource: &ConfigResource,
) -> Result<(), AlterConfigError> {
    let name = &resource.name;
    match resource.kind {
        ResourceKind::Topic if name.is_empty() => Err(AlterConfigError::DefaultTopic),
        ResourceKind::Topic => {
            ottla_types::TopicName::from(name.clone()).validate()?;
            match image.topics.id_of(name) {
                Some(_) => Ok(()),
                None => Err(AlterConfigError::UnknownTopic { name: name.clone() }),
            }
        }
        ResourceKind::Broker if name.is_empty() => Ok(()),
        ResourceKind::Broker => {
            let id =
                name.parse().map(NodeId).map_err(|_| AlterConfigError::BrokerName { name: name.clone() })?;
            // Kafka's tools set throttles on all nodes, controllers too.
            match image.brokers.get(id).is_some() || settings.is_voter(id) {
                true => Ok(()),
                false => Err(AlterConfigError::UnknownBroker { id }),
            }
        }
        ResourceKind::Group if name.is_empty() => Err(AlterConfigError::DefaultGroup),
        ResourceKind::ClientMetrics if name.is_empty() => Err(AlterConfigError::UnnamedSubscription),
        ResourceKind::Group | ResourceKind::ClientMetrics => Ok(()),
    }
}

/// Whether `resource` may have `configs`, all of them together.
pub(crate) fn check_configs(
    image: &MetadataImage,
    settings: &Settings,
    resource: &ConfigResource,
    configs: &ConfigMap,
) -> Result<(), AlterConfigError> {
    let texts = configs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    match resource.kind {
        ResourceKind::Topic => validate_topic(&texts)?,
        ResourceKind::Broker => {
            validate_broker(&texts, !resource.name.is_empty())
                .map_err(AlterConfigError::RejectedForBroker)?;
            if let Some(conflict) = settings.new_conflicts(image, resource, &texts).first() {
                return Err(AlterConfigError::Conflict { reason: conflict.to_string() });
            }
        }
        ResourceKind::Group => settings.in_cluster(image, |layers| validate_group(&texts, layers))?,
        ResourceKind::ClientMetrics => validate_client_metrics(&texts)?,
    }
    Ok(())
}

/// The record that sets `key` of `resource`, or removes it.
pub(crate) fn config_record(
    resource: &ConfigResource,
    key: &ByteString,
    value: Option<ByteString>,
) -> MetadataRecord {
    ConfigRecord {
        resource_type: resource.kind.code(),
        resource_name: resource.name.clone(),
        name: key.clone(),
        value,
        ..ConfigRecord::default()
    }
    .into()
}

/// Whether setting `key` to `value` needs a record. Brokers are told even of an unchanged value, so that they load
/// anew what it names, such as a key store (KAFKA-14136).
pub(crate) fn needs_record(
    resource: &ConfigResource,
    before: Option<&ByteString>,
    value: Option<&ByteString>,
) -> bool {
    before != value || (resource.kind == ResourceKind::Broker && value.is_some())
}
