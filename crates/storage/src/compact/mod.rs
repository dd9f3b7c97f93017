//! Compaction: of each key the last record stays (KIP-354, KIP-534; `org.apache.kafka.storage.internals.log.Cleaner`).
//!
//! ```text
//!            first dirty            first uncleanable: active segment, last stable offset, min.compaction.lag.ms
//!                │                          │
//!  ──┬───────┬───┼────┬───────┬─────────────┼─────────┬──▶
//!    │ clean │   │    │ dirty │             │         │
//!    └───────┴────────┴───────┘             └─────────┘
//!                └── 1. keys ──▶ OffsetMap: key → its last offset here
//!    └── 2. records, a group of segments at a time ──▶ %020d.log.cleaned ──▶ .swap ──▶ takes their place
//! ```
//!
//! - [`Compaction`] reads and writes outside of the log's lock; the log hands it out and takes its result in (`log/clean.rs`,
//!   `log/swap.rs`).
//! - Offsets never change. A batch keeps its first and last offset and its sequence numbers, whatever of it stays.
//! - What stays though it is empty: the last batch of each producer, the last batch of a round, and the last batch of each segment
//!   that is written. So a segment tells where it ends, and a start can finish a swap without knowing more.

mod group;
mod job;
mod offset_map;
mod output;
mod retain;
mod survey;
mod transactions;

pub use job::{Cleaned, CompactError, Compaction, Pace};
pub use offset_map::OffsetMap;

pub(crate) use job::{Plan, Source};
pub(crate) use retain::LastRecord;
