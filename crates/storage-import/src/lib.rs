//! Takes over the data directories of a Kafka node that was stopped cleanly: `ottla storage import`.
//!
//! ```text
//!  Kafka's directories                                   Ottla's
//!  meta.properties, .kafka_cleanshutdown ──▶ checked     meta.properties            cluster, node and directory ids stay
//!  __cluster_metadata-0 ── snapshot, log ──▶ image ────▶ ottla-bootstrap            what the quorum begins with
//!  topic-0/ …           ── files ──────────▶ copied ───▶ topic-0/ …                 opened once, as at a start
//!  *-offset-checkpoint  ───────────────────────────────▶ *-offset-checkpoint, ottla-partitions, .kafka_cleanshutdown
//! ```
//!
//! - The source is only read. It is locked while that lasts.
//! - All or nothing: until the import is complete the target has `ottla-import-unfinished`, with which no node starts; an
//!   import that is repeated begins anew there.
//! - Nothing is left out silently: what Ottla cannot keep is an error, or a line among the report's warnings.
//!
//! Not here: the node's side of it. `ottla-node` hands the bootstrap file to the quorum that it forms. Does not speak to any
//! broker. Start at [`import`].

mod bootstrap;
mod copy;
mod error;
mod finish;
mod import;
mod kafka_metadata;
mod layout;
mod prepared;
mod report;
mod source;
mod takeover;
mod target;
#[cfg(test)]
pub(crate) mod tests;

pub use crate::bootstrap::Bootstrap;
pub use crate::error::ImportError;
pub use crate::import::{ImportOptions, Progress, import};
pub use crate::report::{DirectoryReport, Report, TopicReport};
pub use crate::target::{UNFINISHED, is_unfinished};
