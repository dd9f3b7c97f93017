//! Values in internal topics and in the metadata log.

pub mod consumer_offsets;
pub mod control;
pub mod metadata;
mod prefixed;

pub use self::prefixed::{decode_payload, decode_prefixed, encode_prefixed, peek_version};
