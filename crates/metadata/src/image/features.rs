//! Finalized features: the levels that the whole cluster works at.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_types::ByteString;

/// The name of the feature that stands for Kafka's metadata format.
pub const METADATA_VERSION: &str = "metadata.version";
/// The name of the feature that turns eligible leader replicas on (KIP-966).
pub const ELR_VERSION: &str = "eligible.leader.replicas.version";

/// The finalized level of each feature. A feature at level 0 is off and not in here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    levels: Arc<BTreeMap<ByteString, i16>>,
}

impl Features {
    /// The level of the feature called `name`; 0 means off.
    pub fn level(&self, name: &str) -> i16 {
        self.levels.get(name).copied().unwrap_or(0)
    }

    /// All features that are on, ordered by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ByteString, i16)> {
        self.levels.iter().map(|(name, level)| (name, *level))
    }

    /// Whether eligible leader replicas are on.
    pub fn elr_enabled(&self) -> bool {
        self.level(ELR_VERSION) > 0
    }

    pub(crate) fn set(&mut self, name: ByteString, level: i16) {
        let levels = Arc::make_mut(&mut self.levels);
        if level == 0 {
            levels.remove(&name);
        } else {
            levels.insert(name, level);
        }
    }
}
