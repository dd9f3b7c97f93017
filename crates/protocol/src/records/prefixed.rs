//! Messages with their version before them: keys and values of `__consumer_offsets`, and the member metadata and
//! assignments of consumer groups.

use bytes::Bytes;

use crate::{
    DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Field, Message, Reader, Version, Writer,
};

/// The version in front of the bytes; in a key of `__consumer_offsets` it is the record's type.
pub fn peek_version(bytes: &Bytes) -> Result<Version, DecodeError> {
    Version::read(&mut Reader::new(bytes.clone()), 0)
}

/// Reads a version and the message in it. A newer version than the struct has is read as the newest one, as Kafka
/// does with group payloads (KIP-54), where bytes behind it are allowed for that reason.
///
/// For keys of `__consumer_offsets`, whose prefix is a type, look at [`peek_version`] first.
pub fn decode_prefixed<M: Message>(bytes: Bytes) -> Result<M, DecodeError> {
    let mut r = Reader::new(bytes);
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
