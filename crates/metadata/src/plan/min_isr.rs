//! `min.insync.replicas` while eligible leader replicas are on (KIP-966, `maybeGenerateElrSafetyRecords`).
//!
//! Below that many replicas in sync, the controller takes who leaves the ISR for eligible: nothing was acknowledged without
//! it. That holds only if the leader counts by the same number. So it is in the metadata, where both read it at the same
//! offset: a topic's own value, else the one for all brokers.
//!
//! ```text
//!  nothing said: 1 ──▶ the controller's file says something ─▶ ConfigRecord for all brokers ──▶ altered, never removed
//!                  └─▶ a third broker registers: 2 ──────────▶           "
//! ```
//! As long as nobody has said anything, there is no record: so a third broker can tell 1 by default from 1 by choice.

use ottla_config::{ConfigLayers, ConfigMap, MIN_INSYNC_REPLICAS};
use ottla_protocol::records::metadata::{ClearElrRecord, ConfigRecord, MetadataRecord};
use ottla_types::ByteString;

use crate::image::{ConfigResource, MetadataImage, ResourceKind};
use crate::plan::config_change::{AlterConfigError, config_record};
use crate::settings::{Settings, TopicDefaults};

/// What makes all count alike in a cluster of so many brokers: the value for all of them, if there is none and something to
/// say; and no broker has its own. Nothing if that is so already.
pub(crate) fn settle_min_isr(
    image: &MetadataImage,
    settings: &Settings,
    brokers: usize,
) -> Vec<MetadataRecord> {
    let (all, key) = (ConfigResource::default_broker(), ByteString::from_static(MIN_INSYNC_REPLICAS));
    let mut records = Vec::new();
    if image.configs.value(&all, MIN_INSYNC_REPLICAS).is_none()
        && let Some(value) = configured(settings, brokers)
    {
        records.push(config_record(&all, &key, Some(value.into())));
    }
    let own = image.configs.of_brokers().filter(|(_, configs)| configs.contains_key(MIN_INSYNC_REPLICAS));
    records.extend(own.map(|(broker, _)| config_record(broker, &key, None)));
    records
}

/// What this process was started with, else the default where it is not the one of a single broker.
fn configured(settings: &Settings, brokers: usize) -> Option<String> {
    let none = ConfigMap::new();
    let value = |brokers| {
        let settings = &settings.configured;
        ConfigLayers { settings, broker: &none, cluster: &none, brokers, elr: false }
            .broker_value(MIN_INSYNC_REPLICAS)
    };
    let is_said = settings.configured.get(MIN_INSYNC_REPLICAS).is_some() || value(brokers) != value(1);
    value(brokers).filter(|_| is_said)
}

/// Whether `key` of `resource` may be set or removed.
pub(crate) fn check_min_isr(
    image: &MetadataImage,
    resource: &ConfigResource,
    key: &str,
    is_removed: bool,
) -> Result<(), AlterConfigError> {
    let concerns = resource.kind == ResourceKind::Broker && key == MIN_INSYNC_REPLICAS;
    match image.features.elr_enabled() && concerns {
        true if !resource.name.is_empty() => Err(AlterConfigError::MinIsrOfBroker),
        true if is_removed => Err(AlterConfigError::MinIsrRemoved),
        _ => Ok(()),
    }
}

/// What has to come with `records` of altered configs: where less is asked for than before, the leader goes on alone, and who
/// was eligible is not any more.
pub(crate) fn clear_elr(
    image: &MetadataImage,
    settings: &Settings,
    records: &[MetadataRecord],
) -> Vec<MetadataRecord> {
    let altered = records.iter().filter_map(|record| match record {
        MetadataRecord::Config(config) if &*config.name == MIN_INSYNC_REPLICAS => Some(config),
        _ => None,
    });
    let mut altered = altered.peekable();
    if !image.features.elr_enabled() || altered.peek().is_none() {
        return Vec::new();
    }
    // What does not fit is not committed either.
    let Ok((after, _)) = image.apply(records) else { return Vec::new() };
    let defaults = (settings.topic_defaults(image), settings.topic_defaults(&after));
    let falls = |topic: &str| {
        let of = |defaults: &TopicDefaults, image| defaults.min_insync_replicas(image, topic, usize::MAX);
        of(&defaults.1, &after) < of(&defaults.0, image)
    };
    let clear = |config: &ConfigRecord| {
        let topic_name = match ResourceKind::from_code(config.resource_type) {
            Some(ResourceKind::Topic) => Some(&config.resource_name).filter(|name| falls(name)).cloned(),
            // No name is that of all topics.
            _ => (defaults.1.min_insync_replicas < defaults.0.min_insync_replicas).then(ByteString::default),
        };
        Some(ClearElrRecord { topic_name: topic_name?, ..ClearElrRecord::default() }.into())
    };
    altered.filter_map(clear).collect()
}

#[cfg(test)]
#[path = "min_isr_test.rs"]
mod tests;
