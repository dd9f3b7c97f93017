//! The first records of a new cluster.

use ottla_protocol::records::metadata::FeatureLevelRecord;
use ottla_types::ByteString;

use crate::image::{ELR_VERSION, METADATA_VERSION, MetadataImage};
use crate::plan::Decision;

/// `metadata.version` of Kafka 4.3 (`MetadataVersion.IBP_4_3_IV0`).
pub const METADATA_VERSION_LEVEL: i16 = 30;

/// The features that this version knows, each with its lowest and highest level. Groups and transactions of the new kind
/// come with later versions.
pub const SUPPORTED_FEATURES: &[(&str, i16, i16)] = &[
    // 3.3-IV3, the oldest that Kafka 4 knows.
    (METADATA_VERSION, 7, METADATA_VERSION_LEVEL),
    (ELR_VERSION, 0, 1),
];

/// The features that a new cluster has from its first record on: all that Kafka 4.3 turns on by itself.
const FIRST_FEATURES: &[(&str, i16)] = &[(METADATA_VERSION, METADATA_VERSION_LEVEL), (ELR_VERSION, 1)];

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
