//! The first records of a new cluster.

use ottla_protocol::records::metadata::{FeatureLevelRecord, MetadataRecord};
use ottla_types::ByteString;

use crate::image::{ELR_VERSION, KRAFT_VERSION, METADATA_VERSION, MetadataImage};
use crate::metadata_version::MetadataVersion;
use crate::plan::Decision;
use crate::plan::min_isr::settle_min_isr;
use crate::settings::Settings;

/// The features that a new cluster has from its first record on: all that Kafka 4.3 turns on by itself. Never a level of a
/// format that no release has.
const FIRST_FEATURES: &[(&str, i16)] =
    &[(METADATA_VERSION, MetadataVersion::LATEST_PRODUCTION.level()), (ELR_VERSION, 1)];

/// Finalizes the features of a new cluster, if there are none yet. Voters come and go where none are named in the
/// configuration. And whatever the cluster, what eligible leader replicas rest on: an earlier build may not have seen to it.
pub fn plan_bootstrap(image: &MetadataImage, settings: &Settings) -> Decision<()> {
    let is_new = image.features.level(METADATA_VERSION) == 0;
    let mut records = if is_new { first_features(settings) } else { Vec::new() };
    if is_new || image.features.elr_enabled() {
        records.extend(settle_min_isr(image, settings, image.brokers.len()));
    }
    Decision { records, answer: () }
}

fn first_features(settings: &Settings) -> Vec<MetadataRecord> {
    let kraft = (KRAFT_VERSION, i16::from(!settings.names_voters()));
    let features = FIRST_FEATURES.iter().copied().chain([kraft]).filter(|(_, level)| *level > 0);
    let record = |(name, feature_level)| {
        let name = ByteString::from_static(name);
        FeatureLevelRecord { name, feature_level, ..FeatureLevelRecord::default() }.into()
    };
    features.map(record).collect()
}
