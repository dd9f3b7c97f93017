//! The registered brokers.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_types::{BrokerEpoch, ByteString, DirectoryId, NodeId, Uuid};

/// Where one listener of a node can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, such as `PLAINTEXT`.
    pub listener: ByteString,
    /// The host name that the node advertises.
    pub host: ByteString,
    /// The port that the node advertises.
    pub port: u16,
    /// Kafka's number of the security protocol: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
    pub security_protocol: i16,
}

/// The levels of one feature that a node can work at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    /// The feature's name, such as `metadata.version`.
    pub name: ByteString,
    /// The lowest level.
    pub min: i16,
    /// The highest level.
    pub max: i16,
}

/// One broker's registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerImage {
    /// `node.id`.
    pub id: NodeId,
    /// The metadata offset at which this incarnation registered.
    pub epoch: BrokerEpoch,
    /// Drawn by the process at its start: a restarted broker has another one.
    pub incarnation_id: Uuid,
    /// Where its listeners are.
    pub endpoints: Vec<Endpoint>,
    /// What it supports.
    pub features: Vec<FeatureRange>,
    /// `broker.rack`.
    pub rack: Option<ByteString>,
    /// Whether it may not lead or be in an ISR now.
    pub fenced: bool,
    /// Whether it asked to shut down and its leaders are being moved away (KIP-841).
    pub in_controlled_shutdown: bool,
    /// Its log directories that are online (KIP-858).
    pub directories: Vec<DirectoryId>,
    /// Its directories that take no new partitions (KIP-1066); `None` until it said so.
    pub cordoned_directories: Option<Vec<DirectoryId>>,
}

impl BrokerImage {
    /// Whether it may lead partitions and join ISRs.
    pub const fn is_active(&self) -> bool {
        !self.fenced && !self.in_controlled_shutdown
    }

    /// Whether none of its directories takes new partitions.
    pub fn is_cordoned(&self) -> bool {
        let cordoned = self.cordoned_directories.as_deref().unwrap_or_default();
        !self.directories.is_empty() && self.directories.iter().all(|dir| cordoned.contains(dir))
    }

    /// Its endpoint on the listener called `name`.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.listener == name)
    }

    /// Whether a replica that is recorded to be in `directory` can be served: that is online, or which one it is will be told
    /// (`DirectoryId.isOnline`).
    pub fn serves_from(&self, directory: DirectoryId) -> bool {
        match directory {
            UNASSIGNED_DIRECTORY | MIGRATING_DIRECTORY => true,
            LOST_DIRECTORY => false,
            named => self.directories.is_empty() || self.directories.contains(&named),
        }
    }

    /// The directory that a new replica is recorded to be in: the only one, or none yet, in which case the
    /// broker chooses one and reports it (KIP-858, `DirectoryId.UNASSIGNED`).
    pub fn default_directory(&self) -> DirectoryId {
        match self.directories.as_slice() {
            [only] => *only,
            _ => UNASSIGNED_DIRECTORY,
        }
    }
}

/// A replica's directory is not yet chosen (`DirectoryId.UNASSIGNED`).
pub const UNASSIGNED_DIRECTORY: DirectoryId = Uuid::ZERO;
/// A replica's directory is offline (`DirectoryId.LOST`).
pub const LOST_DIRECTORY: DirectoryId = Uuid(1_u128.to_be_bytes());
/// A replica placed before directories were recorded (`DirectoryId.MIGRATING`).
pub const MIGRATING_DIRECTORY: DirectoryId = Uuid(2_u128.to_be_bytes());

/// All registered brokers, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brokers {
    by_id: Arc<BTreeMap<NodeId, Arc<BrokerImage>>>,
}

impl Brokers {
    /// The broker `id`, if it is registered.
    pub fn get(&self, id: NodeId) -> Option<&Arc<BrokerImage>> {
        self.by_id.get(&id)
    }

    /// All of them, ordered by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<BrokerImage>> {
        self.by_id.values()
    }

    /// How many are registered, fenced ones included.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is registered.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether `id` is registered, not fenced and not shutting down.
    pub fn is_active(&self, id: NodeId) -> bool {
        self.get(id).is_some_and(|broker| broker.is_active())
    }

    pub(crate) fn insert(&mut self, broker: BrokerImage) {
        Arc::make_mut(&mut self.by_id).insert(broker.id, Arc::new(broker));
    }

    pub(crate) fn remove(&mut self, id: NodeId) {
        Arc::make_mut(&mut self.by_id).remove(&id);
    }

    pub(crate) fn get_mut(&mut self, id: NodeId) -> Option<&mut BrokerImage> {
        Arc::make_mut(&mut self.by_id).get_mut(&id).map(Arc::make_mut)
    }
}
