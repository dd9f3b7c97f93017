//! IncrementalAlterConfigs (KIP-339): single keys are set, removed, or as lists extended and reduced. A resource's
//! operations take effect together or not at all.

use std::collections::BTreeSet;

use ottla_config::{ConfigDef, ValueType, table};
use ottla_types::ByteString;

use crate::image::{ConfigMap, ConfigResource, MetadataImage, ResourceKind};
use crate::plan::Decision;
use crate::plan::config_change::{
    AlterConfigError, check_configs, check_resource, config_record, needs_record, repeated,
};
use crate::plan::min_isr::{check_min_isr, clear_elr};
use crate::settings::Settings;
use ottla_protocol::records::metadata::MetadataRecord;

/// What to do with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigOp {
    /// Give it this value.
    Set(Option<ByteString>),
    /// Back to the default.
    Delete,
    /// Add the elements, separated by commas, that the list lacks.
    Append(Option<ByteString>),
    /// Remove the elements, separated by commas.
    Subtract(Option<ByteString>),
}

/// The operations on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncrementalChange {
    /// Whose configs.
    pub resource: ConfigResource,
    /// Key and operation.
    pub ops: Vec<(ByteString, ConfigOp)>,
}

/// Decides each resource by itself.
pub fn plan_incremental_alter_configs(
    image: &MetadataImage,
    settings: &Settings,
    changes: &[IncrementalChange],
) -> Decision<Vec<(ConfigResource, Result<(), AlterConfigError>)>> {
    let mut records = Vec::new();
    let repeated = repeated(changes.iter().map(|change| &change.resource));
    let answer = changes
        .iter()
        .map(|change| {
            let outcome = if repeated.contains(&change.resource) {
                Err(AlterConfigError::DuplicateResource { resource: change.resource.clone() })
            } else {
                check_resource(image, settings, &change.resource)
                    .and_then(|()| change_resource(image, settings, change))
            };
            (change.resource.clone(), outcome.map(|mut more| records.append(&mut more)))
        })
        .collect();
    records.extend(clear_elr(image, settings, &records));
    Decision { records, answer }
}

fn change_resource(
    image: &MetadataImage,
    settings: &Settings,
    change: &IncrementalChange,
) -> Result<Vec<MetadataRecord>, AlterConfigError> {
    let mut configs: ConfigMap =
        image.configs.get(&change.resource).map(|configs| (**configs).clone()).unwrap_or_default();
    let mut keys = BTreeSet::new();
    let mut records = Vec::new();
    for (key, op) in &change.ops {
        if !keys.insert(key) {
            return Err(AlterConfigError::DuplicateKey { key: key.clone() });
        }
        let before = configs.get(key).cloned();
        let after = apply_op(&change.resource, key, op, before.as_ref())?;
        check_min_isr(image, &change.resource, key, after.is_none())?;
        match &after {
            Some(value) => configs.insert(key.clone(), value.clone()),
            None => configs.remove(key),
        };
        if needs_record(&change.resource, before.as_ref(), after.as_ref()) {
            records.push(config_record(&change.resource, key, after));
        }
    }
    check_configs(image, settings, &change.resource, &configs)?;
    Ok(records)
}

fn apply_op(
    resource: &ConfigResource,
    key: &ByteString,
    op: &ConfigOp,
    before: Option<&ByteString>,
) -> Result<Option<ByteString>, AlterConfigError> {
    let (operation, value) = match op {
        ConfigOp::Delete => return Ok(None),
        ConfigOp::Set(value) => ("SET", value),
        ConfigOp::Append(value) => ("APPEND", value),
        ConfigOp::Subtract(value) => ("SUBTRACT", value),
    };
    let value = value.as_ref().ok_or_else(|| AlterConfigError::NullValue { key: key.clone() })?;
    if matches!(op, ConfigOp::Set(_)) {
        return Ok(Some(value.clone()));
    }
    let list = definition(resource.kind, key)
        .filter(|def| def.value_type == ValueType::List)
        .ok_or_else(|| AlterConfigError::NotAList { operation, key: key.clone() })?;
    let current = before.map(|value| &**value).or(list.default).unwrap_or_default();
    let mut parts: Vec<&str> = elements(current).collect();
    for element in elements(value) {
        parts.retain(|part| *part != element || matches!(op, ConfigOp::Append(_)));
        if matches!(op, ConfigOp::Append(_)) && !parts.contains(&element) {
            parts.push(element);
        }
    }
    Ok(Some(parts.join(",").into()))
}

fn definition(kind: ResourceKind, key: &str) -> Option<&'static ConfigDef> {
    match kind {
        ResourceKind::Topic => table::topic(key),
        ResourceKind::Broker => table::broker(key),
        ResourceKind::Group => table::group(key),
        ResourceKind::ClientMetrics => table::client_metrics(key),
    }
}

fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}
