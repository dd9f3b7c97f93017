//! Groups of records that count together (KIP-868).

use crate::{ByteString, Message, TaggedFields};

/// The records that follow count only once an [`EndTransactionRecord`] comes.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct BeginTransactionRecord {
    /// What it is for; null if it is not said.
    #[field(tag = 0, default = null)]
    pub name: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The records since the beginning count.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 24, versions = "0", flexible = "0+")]
pub struct EndTransactionRecord {
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The records since the beginning do not count.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 25, versions = "0", flexible = "0+")]
pub struct AbortTransactionRecord {
    /// Why, in words; null if it is not known.
    #[field(tag = 0, default = null)]
    pub reason: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// How far a former cluster had moved away from ZooKeeper; of no effect any more (KIP-866).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 21, versions = "0", flexible = "0+")]
pub struct ZkMigrationStateRecord {
    /// 0 none, 1 migrating, 2 preparing, 3 done.
    pub zk_migration_state: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Nothing. It moves the committed offset on.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 20, versions = "0", flexible = "0+")]
pub struct NoOpRecord {
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
