//! Records that are committed together, as one payload of the quorum, and snapshots in the same framing.
//!
//! ```text
//!  kind (1) │ format (1) │ base offset (8) │ count (4) │ [ length (varint) │ framed record ] × count
//!  b'B', b'S'
//! ```
//! Numbers are big-endian. A batch's base offset is that of its first record: a batch that was decided on another image
//! than the one it meets is refused by all voters alike. A snapshot's is that of the last record it covers.
//!
//! Records are written in the versions of the finalized `metadata.version`: the one before the batch, from a record on that
//! changes it the new one. A payload that finalizes what this build does not support is refused as a whole: what follows
//! may be of versions that it cannot read.

use bytes::Bytes;
use ottla_protocol::{DecodeError, EncodeError, Reader, Writer};
use ottla_types::Offset;

use crate::apply::ApplyError;
use crate::image::{Features, METADATA_VERSION, MetadataImage, UnsupportedLevel, check_supported};
use crate::metadata_version::MetadataVersion;
use ottla_protocol::records::metadata::MetadataRecord;

const BATCH: u8 = b'B';
const SNAPSHOT: u8 = b'S';
const FORMAT: u8 = 1;
/// A record is at least its three varints and a length.
const MIN_RECORD_BYTES: usize = 4;

/// Bytes that are not a batch or snapshot.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// Neither a batch nor a snapshot, or not the one that was expected.
    #[error("metadata payload of kind {found}, expected {expected}: the log or snapshot is damaged")]
    Kind {
        /// What was expected.
        expected: u8,
        /// What is there.
        found: u8,
    },
    /// A later format.
    #[error("metadata payload of format {0}, this version reads {FORMAT}: run the newer version")]
    Format(u8),
    /// A level of a feature that this build does not support.
    #[error(transparent)]
    Level(#[from] UnsupportedLevel),
    /// It ends too early, or has more bytes than it says.
    #[error("damaged metadata payload: {0}")]
    Damaged(#[from] DecodeError),
    /// More records than bytes.
    #[error("metadata payload of {bytes} bytes claims {count} records: it is damaged")]
    Count {
        /// What it claims.
        count: u32,
        /// What there is.
        bytes: usize,
    },
    /// A record cannot be written.
    #[error("metadata record: {0}")]
    Encode(#[from] EncodeError),
    /// The records of a snapshot do not fit together.
    #[error("metadata snapshot: {0}")]
    Apply(#[from] ApplyError),
}

/// Records that are committed together.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordBatch {
    /// The offset of the first record.
    pub base_offset: Offset,
    /// The records.
    pub records: Vec<MetadataRecord>,
}

impl RecordBatch {
    /// The offset of the last record.
    pub fn last_offset(&self) -> Offset {
        self.base_offset + (self.records.len() as i64 - 1)
    }

    /// Reads what [`encode_batch`] wrote.
    pub fn decode(payload: Bytes) -> Result<Self, BatchError> {
        let (base_offset, records) = decode(BATCH, payload)?;
        Ok(Self { base_offset, records })
    }
}

/// The payload for `records`, the first of which has offset `base_offset`, behind what finalized `features`.
pub fn encode_batch(
    features: &Features,
    base_offset: Offset,
    records: &[MetadataRecord],
) -> Result<Bytes, BatchError> {
    encode(BATCH, features, base_offset, records)
}

/// Reads what [`encode_batch`] wrote.
pub fn decode_batch(payload: Bytes) -> Result<RecordBatch, BatchError> {
    RecordBatch::decode(payload)
}

impl MetadataImage {
    /// This image as a snapshot.
    pub fn encode_snapshot(&self) -> Result<Bytes, BatchError> {
        encode(SNAPSHOT, &self.features, self.offset, &self.to_records())
    }

    /// Reads what [`MetadataImage::encode_snapshot`] wrote.
    pub fn decode_snapshot(snapshot: Bytes) -> Result<Self, BatchError> {
        let (offset, records) = decode(SNAPSHOT, snapshot)?;
        Ok(Self::from_records(offset, &records)?)
    }
}

fn encode(
    kind: u8,
    features: &Features,
    offset: Offset,
    records: &[MetadataRecord],
) -> Result<Bytes, BatchError> {
    let mut version = features.metadata_version();
    let mut w = Writer::with_capacity(16 + records.len() * 64);
    w.put_slice(&[kind, FORMAT]);
    w.put_slice(&offset.0.to_be_bytes());
    w.put_slice(&(records.len() as u32).to_be_bytes());
    for record in records {
        let bytes = record.encode_in(version.record_version(record))?;
        w.put_varint(bytes.len() as u32);
        w.put_slice(&bytes);
        version = version_after(record)?.unwrap_or(version);
    }
    Ok(w.into_bytes())
}

/// The level from this record on, if it changes it. Errors if this build does not support what the record finalizes.
fn version_after(record: &MetadataRecord) -> Result<Option<MetadataVersion>, UnsupportedLevel> {
    let MetadataRecord::FeatureLevel(record) = record else { return Ok(None) };
    check_supported(&record.name, record.feature_level)?;
    let is_version = record.name == METADATA_VERSION;
    Ok(MetadataVersion::from_level(record.feature_level).filter(|_| is_version))
}

fn decode(kind: u8, payload: Bytes) -> Result<(Offset, Vec<MetadataRecord>), BatchError> {
    let mut r = Reader::new(&payload);
    let [found, format] = r.read_array()?;
    if found != kind {
        return Err(BatchError::Kind { expected: kind, found });
    }
    if format != FORMAT {
        return Err(BatchError::Format(format));
    }
    let offset = Offset(i64::from_be_bytes(r.read_array()?));
    let count = u32::from_be_bytes(r.read_array()?);
    if count as usize > r.remaining() / MIN_RECORD_BYTES {
        return Err(BatchError::Count { count, bytes: r.remaining() });
    }
    let mut records = Vec::with_capacity((count as usize).min(1024));
    for _ in 0..count {
        let len = r.read_varint()? as usize;
        let record = MetadataRecord::decode(r.read_slice(len)?)?;
        version_after(&record)?;
        records.push(record);
    }
    r.finish()?;
    Ok((offset, records))
}
