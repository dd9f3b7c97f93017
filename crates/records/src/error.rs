//! Why bytes are not records.

use crate::Codec;

/// Why bytes are not a batch, or a batch not what it claims. Positions are bytes from the batch's start.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The bytes end inside something.
    #[error("{what} at byte {at} needs {expected} bytes but {found} are left")]
    Truncated {
        /// What the bytes end in.
        what: &'static str,
        /// Where it starts.
        at: usize,
        /// How many bytes it takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A field has a value that no valid batch has.
    #[error("{what} at byte {at} is {found}; expected {expected}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// Where it starts.
        at: usize,
        /// The rule.
        expected: &'static str,
        /// The value.
        found: i64,
    },
    /// Two parts of the batch contradict each other.
    #[error("{what} is {found} but {expected} was expected")]
    Mismatch {
        /// What was compared.
        what: &'static str,
        /// What the rest of the batch implies.
        expected: i64,
        /// What is there.
        found: i64,
    },
    /// The checksum does not match: the batch was damaged on its way or on disk.
    #[error(
        "the batch at offset {base_offset} is damaged: its CRC is {found:#010x} but its header says {expected:#010x}"
    )]
    Crc {
        /// The batch's base offset.
        base_offset: i64,
        /// The header's.
        expected: u32,
        /// The computed one.
        found: u32,
    },
    /// A format that is not known here.
    #[error("magic {found} is unknown; 0, 1 and 2 are record formats")]
    Magic {
        /// The magic byte.
        found: i8,
    },
    /// Magic 0 or 1 where only v2 is accepted.
    #[error("magic {found} is a format of Kafka before 0.11; read it with `legacy`")]
    Legacy {
        /// The magic byte.
        found: i8,
    },
    /// A compression type that is not known here.
    #[error("compression type {found} is unknown; 0 to 4 are none, gzip, snappy, lz4 and zstd")]
    UnknownCodec {
        /// The attribute's value.
        found: u8,
    },
    /// Compressed bytes that do not decompress.
    #[error("{codec} data does not decompress: {reason}")]
    Decompress {
        /// The codec.
        codec: Codec,
        /// What its decoder says.
        reason: String,
    },
    /// Decompressed bytes over the caller's limit.
    #[error("{codec} data decompresses to more than the limit of {limit} bytes")]
    TooLarge {
        /// The codec.
        codec: Codec,
        /// The caller's limit, bytes.
        limit: usize,
    },
    /// A compressor failed.
    #[error("{codec} could not compress {len} bytes: {reason}")]
    Compress {
        /// The codec.
        codec: Codec,
        /// The input's size, bytes.
        len: usize,
        /// What its encoder says.
        reason: String,
    },
    /// A record without a key where every record needs one.
    #[error("record {index} has no key; a compacted topic accepts only records with a key")]
    MissingKey {
        /// The record's place in its batch, from 0.
        index: i32,
    },
    /// More than a batch can hold.
    #[error("{what} of {found} does not fit in a batch; at most {limit} is possible")]
    BatchFull {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        found: u64,
        /// The bound.
        limit: u64,
    },
}

impl RecordsError {
    pub(crate) fn truncated(what: &'static str, at: usize, expected: usize, found: usize) -> Self {
        Self::Truncated { what, at, expected, found }
    }

    pub(crate) fn invalid(what: &'static str, at: usize, expected: &'static str, found: i64) -> Self {
        Self::Invalid { what, at, expected, found }
    }
}
