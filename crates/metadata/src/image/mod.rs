//! The image: all metadata as of one offset.

mod broker;
mod config;
mod features;
mod opaque;
mod partition;
mod topic;

use ottla_types::{BrokerEpoch, NodeId, Offset, ProducerId};

pub use self::broker::{
    BrokerImage, Brokers, Endpoint, FeatureRange, LOST_DIRECTORY, MIGRATING_DIRECTORY, UNASSIGNED_DIRECTORY,
};
pub use self::config::{ConfigMap, ConfigResource, Configs, ResourceKind};
pub use self::features::{
    ELR_VERSION, Features, METADATA_VERSION, SUPPORTED_FEATURES, UnsupportedLevel, check_supported,
};
pub use self::opaque::{OpaqueKey, OpaqueRecords};
pub use self::partition::{LeaderRecoveryState, PartitionImage};
pub use self::topic::{TopicImage, Topics};

/// All metadata as of [`MetadataImage::offset`]. Immutable once shared; a clone costs a few reference counts, and
/// the next image shares with this one all that did not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataImage {
    /// The offset of the last record that is in here; [`Offset::NONE`] for the empty image. Each metadata record
    /// takes one offset, whatever the batches and the quorum's own entries.
    pub offset: Offset,
    /// The registered brokers.
    pub brokers: Brokers,
    /// The topics and their partitions.
    pub topics: Topics,
    /// Dynamic configs.
    pub configs: Configs,
    /// Finalized features.
    pub features: Features,
    /// Which producer ids were handed out.
    pub producer_ids: ProducerIds,
    /// Quotas, credentials, ACLs, tokens and controllers: kept, not looked into.
    pub opaque: OpaqueRecords,
}

impl MetadataImage {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self {
            offset: Offset::NONE,
            brokers: Brokers::default(),
            topics: Topics::default(),
            configs: Configs::default(),
            features: Features::default(),
            producer_ids: ProducerIds::default(),
            opaque: OpaqueRecords::default(),
        }
    }

    /// Whether no record was applied.
    pub fn is_empty(&self) -> bool {
        self.offset == Offset::NONE
    }
}

impl Default for MetadataImage {
    fn default() -> Self {
        Self::empty()
    }
}

/// Which producer ids were handed out to brokers, in blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIds {
    /// The first id of the next block.
    pub next: ProducerId,
    /// Who got the last block.
    pub last_broker: NodeId,
    /// That broker's epoch then.
    pub last_broker_epoch: BrokerEpoch,
}

impl Default for ProducerIds {
    fn default() -> Self {
        Self { next: ProducerId(0), last_broker: NodeId::NONE, last_broker_epoch: BrokerEpoch::NONE }
    }
}
