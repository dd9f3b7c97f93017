//! Messages with their version before them: values of `__consumer_offsets`, and the member metadata and assignments
//! of consumer groups. A key of `__consumer_offsets` has its record type there instead.

use bytes::Bytes;

use crate::frame::decode_body;
use crate::{
    DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Field, Message, Reader, Version, Writer,
};

/// The number in front of the bytes.
pub fn peek_version(bytes: &Bytes) -> Result<Version, DecodeError> {
    Version::read(&mut Reader::new(bytes), 0)
}

/// Reads a record's value: its version and the message, with nothing behind it.
pub fn decode_prefixed<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut r = Reader::new(&bytes);
    let version = Version::read(&mut r, 0)?;
    decode_body(r.into_rest(), version)
}

/// Reads a member's payload, which a newer client may have written: a version above the newest known is read as that
/// one, and what it adds behind is left out (Kafka: `ConsumerProtocol`).
pub fn decode_payload<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut r = Reader::new(&bytes);
    let version = Version::read(&mut r, 0)?;
    let known = M::SCHEMA.versions;
    if version < known.first {
        let (first, last) = (known.first, known.last);
        return Err(r.error(DecodeErrorKind::Version { version, first, last }));
    }
    M::decode(&mut r, version.min(known.last))
}

/// Writes `version` and the message in it.
pub fn encode_prefixed<M: Message>(message: &M, version: Version) -> Result<Bytes, EncodeError> {
    if !M::SCHEMA.versions.contains(version) {
        return Err(EncodeError::new(EncodeErrorKind::Version(version)));
    }
    let mut w = Writer::new();
    version.write(&mut w, version)?;
    message.encode(&mut w, version)?;
    Ok(w.into_bytes())
}
