//! The log as memory knows it: where each entry is, and the newest payloads themselves.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::File;

use crate::log::frame::{HEADER_BYTES, crc_is_right, frame_bytes, parse_header, take_entry_head};
use crate::log::{Ballot, EntryKind, LogEntry, LogState, Position};

/// Everything readers need.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) ballot: Option<Ballot>,
    pub(super) committed: Option<Position>,
    pub(super) purged: Option<Position>,
    entries: BTreeMap<u64, Slot>,
    /// Indexes whose payload is in memory, oldest first; may name entries that are gone.
    cached: VecDeque<u64>,
    cached_bytes: usize,
    cache_bytes: usize,
}

#[derive(Debug)]
struct Slot {
    epoch: u64,
    kind: EntryKind,
    body: Option<Bytes>,
    place: Option<Place>,
}

/// Where an entry is on disk.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: Arc<dyn File>,
    /// Of its frame.
    pub(super) position: u64,
    /// Of its frame's body.
    pub(super) body_len: usize,
}

/// An entry, or where to read it.
#[derive(Debug)]
pub(super) enum Found {
    InMemory(LogEntry),
    OnDisk(Position, Place),
}

impl Memory {
    pub(super) fn new(cache_bytes: usize) -> Self {
        Self { cache_bytes, ..Self::default() }
    }

    pub(super) fn state(&self) -> LogState {
        let last = self.entries.last_key_value().map(|(&index, slot)| Position { epoch: slot.epoch, index });
        let last = last.or(self.purged);
        // A commit point is written with the next change; a torn tail can take entries before it was used.
        let committed = self.committed.filter(|committed| Some(*committed) <= last);
        LogState { ballot: self.ballot, committed, purged: self.purged, last }
    }

    /// The first index that is missing between the purged ones and the last one.
    pub(super) fn hole(&self) -> Option<u64> {
        let expected = self.purged.map_or(0, |purged| purged.index + 1)..;
        expected
            .zip(self.entries.keys())
            .find(|(expected, index)| expected != *index)
            .map(|(expected, _)| expected)
    }

    pub(super) fn append(&mut self, entries: &[LogEntry]) {
        for LogEntry { position, kind, body } in entries {
            self.cached_bytes += body.len();
            self.cached.push_back(position.index);
            let slot = Slot { epoch: position.epoch, kind: *kind, body: Some(body.clone()), place: None };
            self.replace(position.index, slot);
        }
    }

    /// An entry that was found on disk.
    pub(super) fn recovered(&mut self, position: Position, kind: EntryKind, place: Place) {
        self.replace(position.index, Slot { epoch: position.epoch, kind, body: None, place: Some(place) });
    }

    /// An entry is on disk now; older payloads may leave memory.
    pub(super) fn written(&mut self, position: Position, place: Place) {
        if let Some(slot) = self.entries.get_mut(&position.index).filter(|slot| slot.epoch == position.epoch)
        {
            slot.place = Some(place);
        }
        self.evict();
    }

    pub(super) fn truncate_after(&mut self, last: Option<Position>) {
        let gone = self.entries.split_off(&last.map_or(0, |last| last.index + 1));
        self.forget(gone.into_values());
    }

    pub(super) fn purge(&mut self, upto: Position) {
        let kept = self.entries.split_off(&(upto.index + 1));
        let gone = std::mem::replace(&mut self.entries, kept);
        self.forget(gone.into_values());
        while self.cached.front().is_some_and(|&index| index <= upto.index) {
            self.cached.pop_front();
        }
        self.purged = Some(upto);
    }

    /// Drops everything that was recovered before.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.cache_bytes);
    }

    /// Entries `start..end`, at least one, then as many as fit.
    pub(super) fn find(&self, start: u64, end: u64, max_bytes: usize) -> Vec<Found> {
        let mut found = Vec::new();
        let mut bytes = 0usize;
        if start >= end {
            return found;
        }
        for (&index, slot) in self.entries.range(start..end) {
            let position = Position { epoch: slot.epoch, index };
            let (size, item) = match (&slot.body, &slot.place) {
                (Some(body), _) => {
                    let entry = LogEntry { position, kind: slot.kind, body: body.clone() };
                    (body.len(), Found::InMemory(entry))
                }
                (None, Some(place)) => (place.body_len, Found::OnDisk(position, place.clone())),
                // Payloads leave memory only once they are on disk.
                (None, None) => break,
            };
            bytes = bytes.saturating_add(size);
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push(item);
        }
        found
    }

    /// The entries of a kind.
    pub(super) fn of_kind(&self, kind: EntryKind) -> Vec<Found> {
        let indexes = self.entries.iter().filter(|(_, slot)| slot.kind == kind).map(|(&index, _)| index);
        indexes.flat_map(|index| self.find(index, index + 1, usize::MAX)).collect()
    }

    fn replace(&mut self, index: u64, slot: Slot) {
        if let Some(old) = self.entries.insert(index, slot) {
            self.forget([old]);
        }
    }

    fn forget(&mut self, slots: impl IntoIterator<Item = Slot>) {
        for slot in slots {
            self.cached_bytes -= slot.body.map_or(0, |body| body.len());
        }
    }

    fn evict(&mut self) {
        while self.cached_bytes > self.cache_bytes {
            let Some(&index) = self.cached.front() else { return };
            if let Some(slot) = self.entries.get_mut(&index) {
                if slot.place.is_none() {
                    return;
                }
                self.cached_bytes -= slot.body.take().map_or(0, |body| body.len());
            }
            self.cached.pop_front();
        }
    }
}

impl Found {
    /// The entry; reads it from disk and checks it if need be.
    pub(super) fn load(self) -> io::Result<LogEntry> {
        match self {
            Self::InMemory(entry) => Ok(entry),
            Self::OnDisk(position, place) => {
                let mut frame = vec![0; frame_bytes(place.body_len)];
                place.file.read_exact_at(&mut frame, place.position)?;
                parse_entry(Bytes::from(frame)).filter(|entry| entry.position == position).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("log entry {position:?} is damaged"))
                })
            }
        }
    }
}

/// The entry in a frame, if the frame is as it was written.
fn parse_entry(frame: Bytes) -> Option<LogEntry> {
    let header = parse_header(&frame)?;
    if !crc_is_right(&frame) {
        return None;
    }
    let body = frame.get(HEADER_BYTES..HEADER_BYTES + header.body_len)?;
    let mut rest = body;
    let (position, kind) = take_entry_head(&mut rest)?;
    Some(LogEntry { position, kind, body: frame.slice_ref(rest) })
}
