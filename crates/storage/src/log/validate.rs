//! What a leader demands of a batch before it takes it (`LogValidator`, `UnifiedLog.analyzeAndValidateRecords`).

use bytes::Bytes;
use ottla_records::layout::{HEADER_LEN, PREFIX_LEN};
use ottla_records::{
    BatchBuilder, BatchHeader, BatchView, Codec, Framing, Keys, RecordsError, TimestampType, patch,
};
use ottla_types::{LeaderEpoch, Offset, TimestampMs};

use crate::append::{AppendOrigin, LeaderAppend};
use crate::config::{CompressionType, LogConfig, RecordValidation};
use crate::error::{AppendError, RecordError};

/// A record of no key, no value and no headers, bytes.
const SMALLEST_RECORD: usize = 7;
/// A compressed batch that claims more is looked into: it would use up offsets that nobody can read.
const PLAUSIBLE_RECORDS_PER_BYTE: usize = 64;

/// A batch that may be appended, and what has to change in it.
#[derive(Debug)]
pub(super) struct Accepted {
    view: BatchView,
    /// The max timestamp and its type, where the header does not have them.
    stamp: Option<(TimestampType, TimestampMs)>,
}

/// A batch as it is written: its head is ours, its body the producer's.
#[derive(Debug)]
pub(super) struct Stamped {
    pub(super) header: BatchHeader,
    head: [u8; HEADER_LEN],
    head_len: usize,
    pub(super) body: Bytes,
}

impl Stamped {
    pub(super) fn head(&self) -> &[u8] {
        self.head.get(..self.head_len).unwrap_or_default()
    }
}

impl Accepted {
    pub(super) fn view(&self) -> &BatchView {
        &self.view
    }

    /// The largest timestamp once it is appended.
    pub(super) fn max_timestamp(&self) -> TimestampMs {
        self.stamp.map_or(self.view.max_timestamp, |(_, timestamp)| timestamp)
    }

    /// Puts it at `base_offset`.
    pub(super) fn stamp(&self, base_offset: Offset, leader_epoch: LeaderEpoch) -> Stamped {
        let mut head = [0; HEADER_LEN];
        let (head_len, header) = match self.stamp {
            None => {
                let prefix = patch::prefix(&self.view, base_offset, leader_epoch);
                if let Some(slot) = head.first_chunk_mut() {
                    *slot = prefix;
                }
                let header =
                    BatchHeader { base_offset, partition_leader_epoch: leader_epoch, ..*self.view.header() };
                (PREFIX_LEN, header)
            }
            Some((kind, timestamp)) => {
                head = patch::max_timestamp_header(&self.view, base_offset, leader_epoch, kind, timestamp);
                let header = BatchHeader {
                    base_offset,
                    partition_leader_epoch: leader_epoch,
                    attributes: self.view.attributes.with_timestamp_type(kind),
                    max_timestamp: timestamp,
                    ..*self.view.header()
                };
                (HEADER_LEN, header)
            }
        };
        Stamped { header, head, head_len, body: self.view.bytes().slice(head_len..) }
    }
}

/// Checks `records`, which must be one batch.
pub(super) fn accept(
    records: &Bytes,
    config: &LogConfig,
    how: &LeaderAppend,
) -> Result<Accepted, AppendError> {
    let view = only_batch(records)?;
    let size = view.size() as u64;
    if size > config.max_message_bytes {
        return Err(AppendError::MessageTooLarge { size, max: config.max_message_bytes });
    }
    view.check_crc().map_err(AppendError::Corrupt)?;
    let codec = view.attributes.codec().map_err(AppendError::UnsupportedCompression)?;
    if how.origin == AppendOrigin::Client {
        if view.base_offset != Offset::ZERO {
            let found = view.base_offset;
            return Err(AppendError::invalid(format!("its base offset is {found}; a producer's is 0")));
        }
        view.validate_from_client().map_err(|e| AppendError::invalid(e.to_string()))?;
    }
    let target = match config.compression {
        CompressionType::Producer => codec,
        CompressionType::Codec(target) => target,
    };
    // A control batch is never compressed.
    let recompress = target != codec && !view.attributes.is_control();
    let framing = check_records(&view, config, recompress)?;
    check_timestamps(&view, framing.as_ref(), config, how)?;
    let view = if recompress { recompressed(&view, target, config)? } else { view };
    // Another codec, or none, may have made it larger.
    let size = view.size() as u64;
    if size > config.max_message_bytes {
        return Err(AppendError::MessageTooLarge { size, max: config.max_message_bytes });
    }
    if size > config.segment_bytes {
        return Err(AppendError::BatchTooLarge { size, max: config.segment_bytes });
    }
    let wanted = match config.timestamp_type {
        TimestampType::LogAppendTime => (TimestampType::LogAppendTime, how.now_ms),
        TimestampType::CreateTime => {
            (TimestampType::CreateTime, framing.map_or(view.max_timestamp, |f| f.max_timestamp))
        }
    };
    let is_so = (view.attributes.timestamp_type(), view.max_timestamp) == wanted;
    Ok(Accepted { view, stamp: (!is_so).then_some(wanted) })
}

fn only_batch(records: &Bytes) -> Result<BatchView, AppendError> {
    if records.is_empty() {
        return Err(AppendError::invalid(
            "there is no batch at all; a partition of a produce request has exactly one",
        ));
    }
    let view = BatchView::parse(records).map_err(|e| match e {
        RecordsError::Legacy { found } => AppendError::UnsupportedFormat { magic: found },
        other => AppendError::Corrupt(other),
    })?;
    if view.bytes().len() != records.len() {
        return Err(AppendError::invalid(format!(
            "{} bytes follow the batch; a partition of a produce request has exactly one batch",
            records.len() - view.bytes().len()
        )));
    }
    Ok(view)
}

/// Walks the records where that is asked for; `None` if they are compressed and nobody asks.
fn check_records(
    view: &BatchView,
    config: &LogConfig,
    recompress: bool,
) -> Result<Option<Framing>, AppendError> {
    let is_control = view.attributes.is_control();
    let keys = if config.cleanup_compact && !is_control { Keys::Required } else { Keys::Optional };
    let claimed = usize::try_from(view.records_count).unwrap_or(0);
    if claimed.saturating_mul(SMALLEST_RECORD) > config.max_decompressed_bytes {
        let max = config.max_decompressed_bytes;
        return Err(AppendError::invalid(format!(
            "it claims {claimed} records, more than {max} bytes could hold (record.decompressed.max.bytes)"
        )));
    }
    let look_inside = recompress
        || config.cleanup_compact
        || config.record_validation == RecordValidation::Full
        || claimed > view.size().saturating_mul(PLAUSIBLE_RECORDS_PER_BYTE);
    let limit = look_inside.then_some(config.max_decompressed_bytes);
    match view.validate_framing(keys, limit) {
        // A batch of the broker's own log append time does not bear out its records' timestamps.
        Ok(framing) => Ok(framing.filter(|_| view.attributes.timestamp_type() == TimestampType::CreateTime)),
        Err(RecordsError::MissingKey { .. }) => Err(keyless(view, config)),
        Err(e @ RecordsError::Decompress { .. }) => Err(AppendError::Corrupt(e)),
        Err(e) => Err(AppendError::invalid(e.to_string())),
    }
}

fn keyless(view: &BatchView, config: &LogConfig) -> AppendError {
    let message = "Compacted topic cannot accept message without key";
    let record_errors = bad_records(view, config, |key, _| key.is_none().then(|| message.to_owned()));
    AppendError::InvalidRecord {
        message: format!("{} of {} records have no key; {message}", record_errors.len(), view.records_count),
        record_errors,
    }
}

fn check_timestamps(
    view: &BatchView,
    framing: Option<&Framing>,
    config: &LogConfig,
    how: &LeaderAppend,
) -> Result<(), AppendError> {
    if how.origin != AppendOrigin::Client {
        return Ok(());
    }
    let (earliest, latest) = config.timestamp_bounds(how.now_ms);
    if config.timestamp_type == TimestampType::LogAppendTime {
        if view.attributes.timestamp_type() == TimestampType::CreateTime {
            return Ok(());
        }
        let message = "Producer should not set timestamp type to LogAppendTime";
        let record_errors = bad_records(view, config, |_, _| Some(message.to_owned()));
        return Err(AppendError::InvalidTimestamp { earliest, latest, record_errors });
    }
    let (min, max) = match framing {
        Some(framing) => (framing.min_timestamp, framing.max_timestamp),
        None => (view.base_timestamp.min(view.max_timestamp), view.max_timestamp),
    };
    let is_bad = |t: TimestampMs| t != -1 && (t < earliest || t > latest);
    if !is_bad(min) && !is_bad(max) {
        return Ok(());
    }
    let record_errors = bad_records(view, config, |_, t| {
        is_bad(t)
            .then(|| format!("Timestamp {t} is out of range. It should be within [{earliest}, {latest}]"))
    });
    Err(AppendError::InvalidTimestamp { earliest, latest, record_errors })
}

/// The slow way, once it is known that the batch is refused: which records are to blame.
fn bad_records(
    view: &BatchView,
    config: &LogConfig,
    blame: impl Fn(Option<&[u8]>, TimestampMs) -> Option<String>,
) -> Vec<RecordError> {
    let Ok(records) = view.records(config.max_decompressed_bytes) else { return Vec::new() };
    (0..)
        .zip(records.views())
        .filter_map(|(batch_index, record)| {
            let record = record.ok()?;
            blame(record.key, record.timestamp).map(|message| RecordError { batch_index, message })
        })
        .collect()
}

fn recompressed(view: &BatchView, codec: Codec, config: &LogConfig) -> Result<BatchView, AppendError> {
    let build = || {
        let mut builder = BatchBuilder::replacing(view)?.compression(codec);
        for record in view.records(config.max_decompressed_bytes)? {
            builder.append_record(&record?)?;
        }
        BatchView::parse(&builder.build()?)
    };
    build().map_err(AppendError::Corrupt)
}
