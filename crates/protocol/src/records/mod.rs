//! Values in internal topics and in the metadata log.

pub mod consumer_offsets;
pub mod control;
pub mod files;
pub mod metadata;
mod prefixed;
pub mod remote_log_metadata;
pub mod share_group_state;
pub mod transaction_state;

pub use self::prefixed::{decode_payload, decode_prefixed, encode_prefixed, peek_version};
