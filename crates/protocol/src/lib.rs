//! Every Kafka request, response and internal record as one annotated struct. Bytes in, values out.
//!
//! Boundary: this crate does no I/O, keeps no state, knows no file and no record batch (`ottla-records` does); it
//! neither authorizes nor answers. Which versions a node advertises is the server's business: here is what the
//! wire can carry, Kafka 4.4.0 being the ceiling.
//!
//! Invariants:
//! - No count or length from a peer sizes a reservation before the bytes that it promises are there, and all values
//!   decoded from one frame together take at most a multiple of the frame ([`Reader`]).
//! - Strings and byte fields are slices of the frame: decoding copies no payload.
//! - A value that a version cannot carry is an [`EncodeError`] that names the field, never a silent loss, except where
//!   Kafka declares the field ignorable.
//! - Tagged fields of newer versions survive decoding and encoding.
//!
//! Enter through [`messages`] and [`records`], [`frame`] for whole requests and responses, [`ApiKey`] and
//! [`ErrorCode`] for the tables, and [`schema`] for what each struct says about itself.

extern crate self as ottla_protocol;

mod api_key;
mod error;
mod error_code;
mod field;
pub mod frame;
mod message;
pub mod messages;
mod reader;
pub mod records;
pub mod registry;
pub mod schema;
mod segment;
mod tagged;
mod writer;

pub use crate::api_key::ApiKey;
pub use crate::error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use crate::error_code::ErrorCode;
pub use crate::field::{Few, Field, NodeIds, NullableField};
pub use crate::message::{ApiMessage, Message, RecordMessage, Request, Version};
pub use crate::reader::Reader;
pub use crate::segment::{FetchedRecords, Records, Segment};
pub use crate::tagged::{TaggedField, TaggedFields};
pub use crate::writer::Writer;

pub use ottla_protocol_derive::Message;
pub use ottla_types::{ByteString, Bytes, Uuid};
