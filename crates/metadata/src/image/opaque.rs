//! Records that the cluster keeps for other layers (security, quotas): stored by identity, not interpreted.

use std::sync::Arc;

use ottla_types::{ByteString, NodeId, Uuid};
use rpds::RedBlackTreeMapSync;

use ottla_protocol::records::metadata::MetadataRecord;

/// What a kept record is about: a later record with the same key replaces it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpaqueKey {
    /// A controller's registration.
    Controller(NodeId),
    /// One quota of one entity: sorted pairs of type and name, and the quota's key.
    ClientQuota {
        /// Type and name of each part of the entity; no name means the default.
        entity: Vec<(ByteString, Option<ByteString>)>,
        /// Such as `producer_byte_rate`.
        key: ByteString,
    },
    /// A user's credential for one SCRAM mechanism.
    ScramCredential {
        /// The user.
        user: ByteString,
        /// Kafka's number of the mechanism.
        mechanism: i8,
    },
    /// A delegation token by its id.
    DelegationToken(ByteString),
    /// An ACL by its id.
    AccessControlEntry(Uuid),
}

/// All kept records, by key.
#[derive(Clone, Debug, Default)]
pub struct OpaqueRecords {
    by_key: RedBlackTreeMapSync<OpaqueKey, Arc<MetadataRecord>>,
}

impl OpaqueRecords {
    /// The record about `key`.
    pub fn get(&self, key: &OpaqueKey) -> Option<&Arc<MetadataRecord>> {
        self.by_key.get(key)
    }

    /// All of them, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&OpaqueKey, &Arc<MetadataRecord>)> {
        self.by_key.iter()
    }

    pub(crate) fn insert(&mut self, key: OpaqueKey, record: MetadataRecord) {
        self.by_key.insert_mut(key, Arc::new(record));
    }

    pub(crate) fn remove(&mut self, key: &OpaqueKey) {
        self.by_key.remove_mut(key);
    }
}

impl PartialEq for OpaqueRecords {
    fn eq(&self, other: &Self) -> bool {
        self.by_key.size() == other.by_key.size() && self.iter().eq(other.iter())
    }
}

// A quota's value is a number that Kafka never lets be NaN.
impl Eq for OpaqueRecords {}
