//! What goes into an append and what comes out.

use ottla_types::{LeaderEpoch, Offset, TimestampMs};

/// Who wrote the records; decides how much is checked (Kafka's `AppendOrigin`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A producer: everything is checked.
    #[default]
    Client,
    /// A coordinator of this broker: no sequence numbers, control batches allowed.
    Coordinator,
}

/// How a leader appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaderAppend {
    /// The leader's epoch; stamped on the batch.
    pub leader_epoch: LeaderEpoch,
    /// The wall clock, ms.
    pub now_ms: TimestampMs,
    /// Who wrote the records.
    pub origin: AppendOrigin,
}

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The time that the broker stamped, ms; −1 if timestamps are the producer's.
    pub log_append_time_ms: TimestampMs,
    /// The largest timestamp, ms; −1 if there is none.
    pub max_timestamp_ms: TimestampMs,
    /// The log's first offset.
    pub log_start_offset: Offset,
    /// Bytes appended; 0 for a duplicate.
    pub bytes: u64,
    /// How many records.
    pub records: u64,
    /// The batch was in the log already, at these offsets; nothing was written.
    pub duplicate: bool,
}
