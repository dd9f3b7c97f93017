//! One frame: how it looks on disk.
//!
//! ```text
//!   0 magic u32 │ 4 crc32c u32 │ 8 length of body u32 │ 12 kind u8 │ 13 flags u8 │ 14 zero u16
//!  16 frame number u64         │ 24 batch number u64
//!  32 body, padded with zeros to a multiple of 8              big-endian; the CRC covers everything after it
//! ```

use crc_fast::{CrcAlgorithm, checksum};
use ottla_types::{DirectoryId, Uuid};

use crate::log::{Ballot, EntryKind, LogEntry, Position};

pub(super) const MAGIC: [u8; 4] = *b"OtRL";
pub(super) const HEADER_BYTES: usize = 32;
/// Frames start at multiples of it.
pub(super) const ALIGN: usize = 8;
/// Longest body that is believed; above the largest proposal by far.
pub(super) const MAX_BODY_BYTES: usize = 64 << 20;
/// Version of everything below, in each start frame.
pub(super) const FORMAT: u16 = 1;
/// Flag: the last frame of its batch.
pub(super) const LAST_OF_BATCH: u8 = 1;

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) body_len: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) number: u64,
    pub(super) batch: u64,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Opens a segment.
    Start(Start),
    /// An entry, without its payload.
    Entry(Position, EntryKind),
    /// A vote.
    Ballot(Ballot),
    /// How far is committed.
    Committed(Option<Position>),
    /// Entries after it are gone.
    Truncate(Option<Position>),
    /// Entries up to it are gone.
    Purge(Position),
    /// The log was closed; all before is on disk.
    Clean,
}

/// The state that earlier segments built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) format: u16,
    pub(super) directory_id: DirectoryId,
    pub(super) ballot: Option<Ballot>,
    pub(super) committed: Option<Position>,
    pub(super) purged: Option<Position>,
    /// The last entry, or `purged`.
    pub(super) last: Option<Position>,
}

impl Frame {
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Self::Start(_) => 1,
            Self::Entry(..) => 2,
            Self::Ballot(_) => 3,
            Self::Committed(_) => 4,
            Self::Truncate(_) => 5,
            Self::Purge(_) => 6,
            Self::Clean => 7,
        }
    }

    pub(super) fn write_body(&self, out: &mut Vec<u8>) {
        match self {
            Self::Start(start) => {
                out.extend_from_slice(&start.format.to_be_bytes());
                out.extend_from_slice(&start.directory_id.0);
                put_option(out, start.ballot, put_ballot);
                put_option(out, start.committed, put_position);
                put_option(out, start.purged, put_position);
                put_option(out, start.last, put_position);
            }
            Self::Entry(position, kind) => write_entry_head(out, *position, *kind),
            Self::Ballot(ballot) => put_ballot(out, *ballot),
            Self::Committed(position) | Self::Truncate(position) => put_option(out, *position, put_position),
            Self::Purge(position) => put_position(out, *position),
            Self::Clean => {}
        }
    }

    /// `None` for a body that no version 1 writer produces.
    pub(super) fn parse(kind: u8, body: &[u8]) -> Option<Self> {
        let mut body = body;
        let b = &mut body;
        let frame = match kind {
            1 => Self::Start(Start {
                format: u16::from_be_bytes(take(b)?),
                directory_id: Uuid(take(b)?),
                ballot: take_option(b, take_ballot)?,
                committed: take_option(b, take_position)?,
                purged: take_option(b, take_position)?,
                last: take_option(b, take_position)?,
            }),
            2 => {
                let (position, kind) = take_entry_head(b)?;
                *b = &[];
                Self::Entry(position, kind)
            }
            3 => Self::Ballot(take_ballot(b)?),
            4 => Self::Committed(take_option(b, take_position)?),
            5 => Self::Truncate(take_option(b, take_position)?),
            6 => Self::Purge(take_position(b)?),
            7 => Self::Clean,
            _ => return None,
        };
        body.is_empty().then_some(frame)
    }
}

/// The format of a start frame, readable even when the rest has changed in a later version.
pub(super) fn format_of_start(kind: u8, body: &[u8]) -> Option<u16> {
    let mut body = body;
    if kind == 1 { take(&mut body).map(u16::from_be_bytes) } else { None }
}

/// The body of an entry's frame.
pub(super) fn write_entry(out: &mut Vec<u8>, entry: &LogEntry) {
    write_entry_head(out, entry.position, entry.kind);
    out.extend_from_slice(&entry.body);
}

fn write_entry_head(out: &mut Vec<u8>, position: Position, kind: EntryKind) {
    put_position(out, position);
    out.push(match kind {
        EntryKind::Blank => 0,
        EntryKind::Payload => 1,
        EntryKind::Voters => 2,
    });
}

/// Reads what precedes the payload of an entry's body.
pub(super) fn take_entry_head(body: &mut &[u8]) -> Option<(Position, EntryKind)> {
    let position = take_position(body)?;
    let kind = match take::<1>(body)? {
        [0] => EntryKind::Blank,
        [1] => EntryKind::Payload,
        [2] => EntryKind::Voters,
        _ => return None,
    };
    Some((position, kind))
}

/// Bytes of the frame with a body of this length.
pub(super) const fn frame_bytes(body_len: usize) -> usize {
    HEADER_BYTES + body_len.next_multiple_of(ALIGN)
}

/// Reads the header at the start of `bytes`; `None` if there is none that can be believed.
pub(super) fn parse_header(bytes: &[u8]) -> Option<Header> {
    let mut b = bytes;
    if take::<4>(&mut b)? != MAGIC {
        return None;
    }
    let _crc = take::<4>(&mut b)?;
    let body_len = usize::try_from(u32::from_be_bytes(take(&mut b)?)).ok()?;
    let [kind, flags, 0, 0] = take::<4>(&mut b)? else { return None };
    let number = u64::from_be_bytes(take(&mut b)?);
    let batch = u64::from_be_bytes(take(&mut b)?);
    (body_len <= MAX_BODY_BYTES).then_some(Header { body_len, kind, flags, number, batch })
}

/// Whether the frame in `bytes`, header and body, is as it was written.
pub(super) fn crc_is_right(bytes: &[u8]) -> bool {
    match (bytes.get(4..8), bytes.get(8..)) {
        (Some(stored), Some(rest)) => stored == crc(rest),
        _ => false,
    }
}

/// The CRC of what follows it in a frame.
pub(super) fn crc(after: &[u8]) -> [u8; 4] {
    let [.., a, b, c, d] = checksum(CrcAlgorithm::Crc32Iscsi, after).to_be_bytes();
    [a, b, c, d]
}

fn put_position(out: &mut Vec<u8>, position: Position) {
    out.extend_from_slice(&position.epoch.to_be_bytes());
    out.extend_from_slice(&position.index.to_be_bytes());
}

fn put_ballot(out: &mut Vec<u8>, ballot: Ballot) {
    out.extend_from_slice(&ballot.epoch.to_be_bytes());
    out.extend_from_slice(&ballot.node.to_be_bytes());
    out.push(u8::from(ballot.committed));
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(out, value);
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

fn take_position(bytes: &mut &[u8]) -> Option<Position> {
    Some(Position { epoch: u64::from_be_bytes(take(bytes)?), index: u64::from_be_bytes(take(bytes)?) })
}

fn take_ballot(bytes: &mut &[u8]) -> Option<Ballot> {
    let epoch = u64::from_be_bytes(take(bytes)?);
    let node = u64::from_be_bytes(take(bytes)?);
    let committed = match take(bytes)? {
        [0] => false,
        [1] => true,
        _ => return None,
    };
    Some(Ballot { epoch, node, committed })
}

fn take_option<T>(bytes: &mut &[u8], take_some: impl FnOnce(&mut &[u8]) -> Option<T>) -> Option<Option<T>> {
    match take(bytes)? {
        [0] => Some(None),
        [1] => take_some(bytes).map(Some),
        _ => None,
    }
}
