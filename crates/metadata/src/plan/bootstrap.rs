//! The first records of a new cluster.

use ottla_protocol::records::metadata::FeatureLevelRecord;
use ottla_types::ByteString;

use crate::image::{ELR_VERSION, KRAFT_VERSION, METADATA_VERSION, MetadataImage};
use crate::metadata_version::MetadataVersion;
use crate::plan::Decision;
use crate::settings::Settings;

/// The features that a new cluster has from its first record on: all that Kafka 4.3 turns on by itself. Never a level of a
/// format that no release has.
const FIRST_FEATURES: &[(&str, i16)] =
    &[(METADATA_VERSION, MetadataVersion::LATEST_PRODUCTION.level()), (ELR_VERSION, 1)];

/// Finalizes the features of a new cluster; nothing if there are any. Voters come and go where none are named in the
/// configuration.
pub fn plan_bootstrap(image: &MetadataImage, settings: &Settings) -> Decision<()> {
    if image.features.level(METADATA_VERSION) != 0 {
        return Decision::unchanged(());
    }
    let kraft = (KRAFT_VERSION, i16::from(!settings.names_voters()));
    let features = FIRST_FEATURES.iter().copied().chain([kraft]).filter(|(_, level)| *level > 0);
    let records = features.map(|(name, feature_level)| {
        let record = FeatureLevelRecord {
            name: ByteString::from_static(name),
            feature_level,
            ..FeatureLevelRecord::default()
        };
        record.into()
    });
    Decision { records: records.collect(), answer: () }
}
