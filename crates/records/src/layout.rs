//! Where each field of a v2 record batch lies (`org.apache.kafka.common.record.DefaultRecordBatch`).
//!
//! ```text
//!  0            8        12       16    17     21      23        27          35
//!  ├ base offset┼ length ┼ leader ┼magic┼ crc ─┼ attri-┼ last    ┼ base      ┼ max       ┄
//!  │ i64        │ i32    │ epoch  │ i8  │ u32  │ butes │ offset  │ timestamp │ timestamp
//!  │            │        │ i32    │     │      │ i16   │ delta   │ i64       │ i64
//!  └────────── PREFIX ───────────┘            └─ the CRC covers from here to the end ─────▶
//!
//!      43            51         53         57        61
//!   ┄  ┼ producer id ┼ producer ┼ base     ┼ records ┼ records … ▶
//!      │ i64         │ epoch i16│ sequence │ count   │
//! ```
//!
//! A broker sets the base offset and the leader epoch: both lie before what the CRC covers, so a batch
//! is appended without touching its body.

/// Position of the base offset, i64.
pub const BASE_OFFSET: usize = 0;
/// Position of the length, i32: the bytes that follow this field.
pub const LENGTH: usize = 8;
/// Position of the partition leader epoch, i32 (of the CRC in magic 0 and 1).
pub const PARTITION_LEADER_EPOCH: usize = 12;
/// Position of the magic byte, in every format.
pub const MAGIC: usize = 16;
/// Position of the CRC-32C, u32.
pub const CRC: usize = 17;
/// Position of the attributes, i16; the CRC covers from here to the end.
pub const ATTRIBUTES: usize = 21;
/// Position of the last offset delta, i32.
pub const LAST_OFFSET_DELTA: usize = 23;
/// Position of the base timestamp, i64 ms; of the delete horizon if that attribute is set.
pub const BASE_TIMESTAMP: usize = 27;
/// Position of the max timestamp, i64 ms.
pub const MAX_TIMESTAMP: usize = 35;
/// Position of the producer id, i64.
pub const PRODUCER_ID: usize = 43;
/// Position of the producer epoch, i16.
pub const PRODUCER_EPOCH: usize = 51;
/// Position of the base sequence, i32.
pub const BASE_SEQUENCE: usize = 53;
/// Position of the records count, i32.
pub const RECORDS_COUNT: usize = 57;
/// Size of a v2 batch header, and the position of the first record.
pub const HEADER_LEN: usize = 61;
/// Base offset and length: what the length field does not count (`Records.LOG_OVERHEAD`).
pub const LOG_OVERHEAD: usize = 12;
/// The bytes that a broker may patch without a new CRC: base offset, length, leader epoch.
pub const PREFIX_LEN: usize = 16;
/// The bytes that tell any format's size and magic.
pub const PEEK_LEN: usize = 17;
/// The magic byte of a v2 batch.
pub const MAGIC_V2: i8 = 2;
