//! Message sets of Kafka before 0.11, magic 0 and 1: read, never written.
//!
//! ```text
//! offset i64 │ size i32 │ crc u32 │ magic i8 │ attributes i8 │ timestamp i64 │ key i32+… │ value i32+…
//!                         └ CRC-32 covers from the magic ──▶   magic 1 only
//! ```
//!
//! A compressed message's value is a message set. Its offset is that of the last inner message; inner
//! offsets are absolute in magic 0 and count from 0 in magic 1.

use bytes::Bytes;
use ottla_types::Offset;

use crate::compression::decompress;
use crate::cursor::Cursor;
use crate::header::peek;
use crate::layout::MAGIC;
use crate::{Attributes, Codec, Record, RecordsError, TimestampType};

const CRC: usize = 12;

/// The records of the message that `bytes` starts with, those inside a compressed one in its place, and
/// the message's size in bytes. `limit` bounds what decompression may yield.
pub fn message(bytes: &Bytes, limit: usize) -> Result<(Vec<Record>, usize), RecordsError> {
    let (outer, size) = single(bytes)?;
    let codec = outer.attributes.codec()?;
    if codec == Codec::None {
        return Ok((vec![outer.record], size));
    }
    let payload = outer.record.value.clone().unwrap_or_default();
    let payload = if outer.magic == 0 && codec == Codec::Lz4 { mend_lz4_header(&payload) } else { payload };
    let inner = decompress(codec, &payload, limit)?;
    Ok((inner_records(&outer, &inner)?, size))
}

/// One message, not looked into.
struct Message {
    magic: i8,
    attributes: Attributes,
    record: Record,
}

fn single(bytes: &Bytes) -> Result<(Message, usize), RecordsError> {
    let peek = peek(bytes)?;
    if !peek.is_legacy() {
        let found = i64::from(peek.magic);
        return Err(RecordsError::invalid("magic", MAGIC, "0 or 1 in a message set", found));
    }
    let Some(whole) = bytes.get(..peek.size) else {
        return Err(RecordsError::truncated("message", 0, peek.size, bytes.len()));
    };
    let mut cursor = Cursor::new(whole, CRC, 0);
    let expected = cursor.i32("crc")? as u32;
    let covered = whole.get(MAGIC..).unwrap_or_default();
    let found = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, covered) as u32;
    if found != expected {
        return Err(RecordsError::Crc { base_offset: peek.base_offset.0, expected, found });
    }
    cursor.i8("magic")?;
    let attributes = Attributes(i16::from(cursor.i8("attributes")?));
    let timestamp = if peek.magic == 0 { -1 } else { cursor.i64("timestamp")? };
    let key = nullable(bytes, &mut cursor, "key")?;
    let value = nullable(bytes, &mut cursor, "value")?;
    let record = Record { offset: peek.base_offset, timestamp, key, value, headers: Vec::new() };
    Ok((Message { magic: peek.magic, attributes, record }, peek.size))
}

fn inner_records(outer: &Message, set: &Bytes) -> Result<Vec<Record>, RecordsError> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < set.len() {
        let (message, size) = single(&set.slice(at..))?;
        if message.attributes.is_compressed() {
            let found = i64::from(message.attributes.0);
            return Err(RecordsError::invalid(
                "attributes",
                MAGIC + 1,
                "no compressed message in another",
                found,
            ));
        }
        at += size;
        records.push(message.record);
    }
    if outer.magic == 1 {
        let last = records.last().map_or(Offset::ZERO, |r| r.offset);
        let append_time = outer.attributes.timestamp_type() == TimestampType::LogAppendTime;
        for record in &mut records {
            record.offset = outer.record.offset + (record.offset - last);
            if append_time {
                record.timestamp = outer.record.timestamp;
            }
        }
    }
    Ok(records)
}

fn nullable(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    what: &'static str,
) -> Result<Option<Bytes>, RecordsError> {
    let at = cursor.place();
    let len = cursor.i32(what)?;
    if len == -1 {
        return Ok(None);
    }
    let len = usize::try_from(len)
        .map_err(|_| RecordsError::invalid(what, at, "a length of -1 or more", i64::from(len)))?;
    let start = cursor.position();
    cursor.take(len, what)?;
    Ok(Some(bytes.slice(start..start + len)))
}

/// Producers of magic 0 hashed the LZ4 frame's magic number into the header checksum, which no decoder
/// accepts (KIP-57). Puts the right one in its place.
fn mend_lz4_header(frame: &Bytes) -> Bytes {
    const FLAGS: usize = 4;
    // Kafka's frames have neither content size nor dictionary: flags, block descriptor, checksum.
    const CHECKSUM: usize = 6;
    let mut mended = frame.to_vec();
    let hash = mended.get(FLAGS..CHECKSUM).map(xxh32_short);
    if let (Some(hash), Some(slot)) = (hash, mended.get_mut(CHECKSUM)) {
        *slot = (hash >> 8) as u8;
    }
    mended.into()
}

/// xxHash32 with seed 0 of fewer than 4 bytes.
fn xxh32_short(input: &[u8]) -> u32 {
    const PRIME_1: u32 = 0x9e37_79b1;
    const PRIME_2: u32 = 0x85eb_ca77;
    const PRIME_3: u32 = 0xc2b2_ae3d;
    const PRIME_5: u32 = 0x1656_67b1;
    let mut hash = PRIME_5.wrapping_add(input.len() as u32);
    for &byte in input {
        hash = hash.wrapping_add(u32::from(byte).wrapping_mul(PRIME_5)).rotate_left(11).wrapping_mul(PRIME_1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 16)
}
