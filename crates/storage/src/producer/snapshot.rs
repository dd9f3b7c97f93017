//! `%020d.snapshot`: the producers as of an offset (Kafka's `ProducerSnapshot`, version 1).
//!
//! ```text
//!  version i16 │ crc u32 of what follows │ count i32 │ entries:
//!    producer id i64 │ epoch i16 │ last sequence i32 │ last offset i64 │ offset delta i32 │ timestamp i64
//!    │ coordinator epoch i32 │ first offset of the open transaction i64
//! ```

use ottla_records::crc32c;
use ottla_types::{ProducerEpoch, ProducerId};

use super::{Producer, Producers, WrittenBatch};

const VERSION: i16 = 1;
const ENTRIES_AT: usize = 6;
const ENTRY_LEN: usize = 46;

impl Producers {
    /// The file's bytes.
    pub(crate) fn to_snapshot(&self) -> Vec<u8> {
        let mut entries = Vec::with_capacity(4 + self.by_id.len() * ENTRY_LEN);
        entries.extend(i32::try_from(self.by_id.len()).unwrap_or(i32::MAX).to_be_bytes());
        let mut ids: Vec<_> = self.by_id.keys().copied().collect();
        ids.sort_unstable();
        for (id, p) in ids.iter().filter_map(|id| Some((id, self.by_id.get(id)?))) {
            let last = p.last_batch();
            entries.extend(id.0.to_be_bytes());
            entries.extend(p.epoch.0.to_be_bytes());
            entries.extend(last.map_or(-1, |b| b.last_sequence).to_be_bytes());
            entries.extend(last.map_or(-1, |b| b.last_offset).to_be_bytes());
            entries.extend(last.map_or(0, |b| b.offset_delta).to_be_bytes());
            entries.extend(p.last_timestamp.to_be_bytes());
            entries.extend(p.coordinator_epoch.to_be_bytes());
            entries.extend(p.txn_first_offset.unwrap_or(-1).to_be_bytes());
        }
        let mut out = Vec::with_capacity(ENTRIES_AT + entries.len());
        out.extend(VERSION.to_be_bytes());
        out.extend(crc32c(&entries).to_be_bytes());
        out.extend(entries);
        out
    }

    /// Reads [`Producers::to_snapshot`]; `None` if it is damaged.
    pub(crate) fn from_snapshot(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk()?;
        let (crc, entries) = rest.split_first_chunk()?;
        if i16::from_be_bytes(*version) != VERSION || u32::from_be_bytes(*crc) != crc32c(entries) {
            return None;
        }
        let (count, entries) = entries.split_first_chunk()?;
        if u64::try_from(i32::from_be_bytes(*count)).ok()? * ENTRY_LEN as u64 != entries.len() as u64 {
            return None;
        }
        let mut producers = Self::default();
        for entry in entries.chunks_exact(ENTRY_LEN) {
            let (id, producer) = read_entry(entry)?;
            producers.restore(id, producer);
        }
        Some(producers)
    }
}

fn read_entry(e: &[u8]) -> Option<(ProducerId, Producer)> {
    let (id, e) = e.split_first_chunk()?;
    let (epoch, e) = e.split_first_chunk()?;
    let (last_sequence, e) = e.split_first_chunk()?;
    let (last_offset, e) = e.split_first_chunk()?;
    let (offset_delta, e) = e.split_first_chunk()?;
    let (timestamp, e) = e.split_first_chunk()?;
    let (coordinator_epoch, e) = e.split_first_chunk()?;
    let (txn_first_offset, _) = e.split_first_chunk()?;
    let mut producer = Producer::new(ProducerEpoch(i16::from_be_bytes(*epoch)));
    let timestamp = i64::from_be_bytes(*timestamp);
    let last_offset = i64::from_be_bytes(*last_offset);
    if last_offset >= 0 {
        producer.add_batch(WrittenBatch {
            last_sequence: i32::from_be_bytes(*last_sequence),
            last_offset,
            offset_delta: i32::from_be_bytes(*offset_delta),
            timestamp,
        });
    }
    producer.last_timestamp = timestamp;
    producer.coordinator_epoch = i32::from_be_bytes(*coordinator_epoch);
    producer.txn_first_offset = Some(i64::from_be_bytes(*txn_first_offset)).filter(|first| *first >= 0);
    Some((ProducerId(i64::from_be_bytes(*id)), producer))
}
