//! Kafka's nouns as newtypes. Nothing else lives here: no I/O, no wire format, no policy.
//!
//! ```text
//!  log start          last stable      high          flushed       log end
//!  offset             offset           watermark     offset        offset
//!    │                  │                │             │             │
//!    ▼                  ▼                ▼             ▼             ▼
//!  ──┬──────────────────┬────────────────┬─────────────┬─────────────┬───▶ Offset
//!    │ read_committed   │ read_uncommitted│ acknowledged│ written     │ next append
//! ```

mod detach;
mod ids;
mod name;
mod offset;
mod uuid;

pub use crate::detach::Detach;
pub use crate::ids::{
    BrokerEpoch, ControllerEpoch, LeaderEpoch, NodeId, PartitionEpoch, PartitionIndex, ProducerEpoch,
    ProducerId,
};
pub use crate::name::{GroupId, MAX_NAME_LEN, TopicIdPartition, TopicName, TopicNameError, TopicPartition};
pub use crate::offset::Offset;
pub use crate::uuid::{DirectoryId, TopicId, Uuid, UuidParseError};

pub use bytes::Bytes;
pub use bytestring::ByteString;

/// Milliseconds since the Unix epoch, as record timestamps are on the wire; −1 means none.
pub type TimestampMs = i64;
