//! The cluster as a state machine: Kafka's metadata records, the image that they build, and the controller's decisions.
//!
//! ```text
//!  request ─▶ plan_*(image, …) ─▶ Decision { records, answer }
//!                  ▲                   │ records, as one batch, through the quorum
//!                  │                   ▼
//!                image ◀── apply ── committed records ──▶ MetadataDelta (what followers of the metadata act on)
//! ```
//!
//! - An image changes only by records; image → records → image gives the same image.
//! - A decision changes nothing. Its answer may leave once its records are committed.
//! - Each record takes one metadata offset; a broker's epoch is the offset of its registration.
//!
//! Does not know the quorum, the network, time or randomness (random bits are an argument), Kafka's error codes, or what
//! a broker does with its replicas. Start at [`MetadataImage`] and [`plan`].

mod apply;
mod batch;
mod delta;
mod follower;
pub mod image;
mod lost_leaderships;
mod metadata_version;
pub mod plan;
mod settings;
mod snapshot;
#[cfg(test)]
mod testing;

#[cfg(test)]
mod image_test;

pub use crate::apply::ApplyError;
pub use crate::batch::{BatchError, RecordBatch, decode_batch, encode_batch};
pub use crate::delta::{LocalChange, LocalChanges, MetadataDelta, TopicsDelta};
pub use crate::follower::{MetadataChange, MetadataFollower};
pub use crate::image::MetadataImage;
pub use crate::lost_leaderships::LostLeaderships;
pub use crate::metadata_version::MetadataVersion;
pub use crate::settings::{BalancerSettings, Settings, TopicDefaults};
pub use ottla_protocol::records::metadata::MetadataRecord;
