//! AlterConfigs, the old way: the request has all configs that the resource is to have; what it does not name goes
//! back to its default.

use ottla_types::ByteString;

use crate::image::{ConfigMap, ConfigResource, MetadataImage};
use crate::plan::Decision;
use crate::plan::config_change::{
    AlterConfigError, check_configs, check_resource, config_record, needs_record, repeated,
};
use crate::plan::min_isr::{check_min_isr, clear_elr};
use crate::settings::Settings;
use ottla_protocol::records::metadata::MetadataRecord;

/// All configs that one resource is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplaceConfigs {
    /// Whose configs.
    pub resource: ConfigResource,
    /// Key and value.
    pub configs: Vec<(ByteString, Option<ByteString>)>,
}

/// Decides each resource by itself.
pub fn plan_alter_configs(
    image: &MetadataImage,
    settings: &Settings,
    changes: &[ReplaceConfigs],
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
                    .and_then(|()| replace(image, settings, change))
            };
            (change.resource.clone(), outcome.map(|mut more| records.append(&mut more)))
        })
        .collect();
    records.extend(clear_elr(image, settings, &records));
    Decision { records, answer }
}

fn replace(
    image: &MetadataImage,
    settings: &Settings,
    change: &ReplaceConfigs,
) -> Result<Vec<MetadataRecord>, AlterConfigError> {
    let resource = &change.resource;
    let before = image.configs.get(resource).map(|configs| (**configs).clone()).unwrap_or_default();
    let mut after = ConfigMap::new();
    for (key, value) in &change.configs {
        let value = value.clone().ok_or_else(|| AlterConfigError::NullValue { key: key.clone() })?;
        if after.insert(key.clone(), value).is_some() {
            return Err(AlterConfigError::DuplicateKey { key: key.clone() });
        }
    }
    for key in before.keys().chain(after.keys()) {
        check_min_isr(image, resource, key, !after.contains_key(key))?;
    }
    check_configs(image, settings, resource, &after)?;
    let set = after
        .iter()
        .filter(|(key, value)| needs_record(resource, before.get(*key), Some(value)))
        .map(|(key, value)| config_record(resource, key, Some(value.clone())));
    let unset =
        before.keys().filter(|key| !after.contains_key(*key)).map(|key| config_record(resource, key, None));
    Ok(set.chain(unset).collect())
}
