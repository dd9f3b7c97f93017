//! The first records of a new cluster.

use ottla_protocol::records::metadata::FeatureLevelRecord;
use ottla_types::ByteString;

use crate::image::{ELR_VERSION, METADATA_VERSION, MetadataImage};
use crate::metadata_version::MetadataVersion;
use crate::plan::Decision;

/// The features that a new cluster has from its first record on: all that Kafka 4.3 turns on by itself. Never a level of a
/// format that no release has.
const FIRST_FEATURES: &[(&str, i16)] =
    &[(METADATA_VERSION, MetadataVersion::LATEST_PRODUCTION.level()), (ELR_VERSION, 1)];

/// Finalizes the features of a new cluster; nothing if there are any.
pub fn plan_bootstrap(image: &MetadataImage) -> Decision<()> {
    if image.features.level(METADATA_VERSION) != 0 {
        return Decision::unchanged(());
    }
    let records = FIRST_FEATURES.iter().map(|&(name, feature_level)| {
        let record = FeatureLevelRecord {
            name: ByteString::from_static(name),
            feature_level,
            ..FeatureLevelRecord::default()
        };
        record.into()
    });
    Decision { records: records.collect(), answer: () }
}
