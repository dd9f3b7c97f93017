//! Records of the metadata log (KIP-500): the types of a cluster without ZooKeeper, and their frame.
//!
//! ```text
//! frame version (varint, 1) │ record type (varint) │ record version (varint) │ the record
//! ```

mod broker;
mod config;
mod frame;
mod security;
mod topic;
mod transaction;

pub use self::broker::*;
pub use self::config::*;
pub use self::frame::MetadataRecord;
pub use self::security::*;
pub use self::topic::*;
pub use self::transaction::*;
