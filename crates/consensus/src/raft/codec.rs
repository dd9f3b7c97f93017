//! openraft's values as bytes, on disk and between voters. Everything big-endian; counts are checked against the
//! bytes that are left, nothing is reserved by them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use openraft::EntryPayload;
use ottla_types::Uuid;

use crate::log::{Ballot, EntryKind, LogEntry, Position};
use crate::raft::types::{
    Entry, LogId, Payload, SnapshotMeta, StoredVoters, Vote, VoterNode, Voters, ballot, log_id, position,
    vote,
};

/// Bytes that are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Reads from the front of a slice.
#[derive(Debug)]
pub(crate) struct Input(pub(crate) Bytes);

impl Input {
    pub(crate) fn take(&mut self, len: usize, what: &'static str) -> Result<Bytes, Malformed> {
        if len > self.0.len() {
            return Err(Malformed(what));
        }
        Ok(self.0.split_to(len))
    }

    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N, what)?;
        bytes.as_ref().try_into().map_err(|_| Malformed(what))
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Malformed> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(crate) fn bool(&mut self, what: &'static str) -> Result<bool, Malformed> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed(what)),
        }
    }

    /// Bytes with their length before them.
    pub(crate) fn sized(&mut self, what: &'static str) -> Result<Bytes, Malformed> {
        let len = self.u32(what)?;
        self.take(usize::try_from(len).map_err(|_| Malformed(what))?, what)
    }

    pub(crate) fn string(&mut self, what: &'static str) -> Result<String, Malformed> {
        String::from_utf8(self.sized(what)?.to_vec()).map_err(|_| Malformed(what))
    }

    pub(crate) fn option<T>(
        &mut self,
        what: &'static str,
        some: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        if self.bool(what)? { some(self).map(Some) } else { Ok(None) }
    }

    pub(crate) fn log_id(&mut self) -> Result<LogId, Malformed> {
        Ok(log_id(Position { epoch: self.u64("log id")?, index: self.u64("log id")? }))
    }

    pub(crate) fn vote(&mut self) -> Result<Vote, Malformed> {
        let (epoch, node) = (self.u64("vote")?, self.u64("vote")?);
        Ok(vote(Ballot { epoch, node, committed: self.bool("vote")? }))
    }

    pub(crate) fn voters(&mut self) -> Result<Voters, Malformed> {
        const WHAT: &str = "voters";
        let mut configs = Vec::new();
        for _ in 0..self.u8(WHAT)? {
            let mut config = BTreeSet::new();
            for _ in 0..self.u32(WHAT)? {
                config.insert(self.u64(WHAT)?);
            }
            configs.push(config);
        }
        let mut nodes = BTreeMap::new();
        for _ in 0..self.u32(WHAT)? {
            let id = self.u64(WHAT)?;
            let directory_id = Uuid(self.array(WHAT)?);
            nodes.insert(id, VoterNode { directory_id, endpoint: self.string(WHAT)? });
        }
        if configs.is_empty() && nodes.is_empty() {
            return Ok(Voters::default());
        }
        Voters::new(configs, nodes).map_err(|_| Malformed(WHAT))
    }

    pub(crate) fn snapshot_meta(&mut self) -> Result<SnapshotMeta, Malformed> {
        let last_log_id = self.option("snapshot", Self::log_id)?;
        let voters_at = self.option("snapshot", Self::log_id)?;
        Ok(SnapshotMeta { last_log_id, last_membership: StoredVoters::new(voters_at, self.voters()?) })
    }

    pub(crate) fn entry(&mut self) -> Result<Entry, Malformed> {
        let position = position(self.log_id()?);
        let kind = match self.u8("entry")? {
            0 => EntryKind::Blank,
            1 => EntryKind::Payload,
            2 => EntryKind::Voters,
            _ => return Err(Malformed("entry")),
        };
        let body = self.sized("entry")?;
        from_log(LogEntry { position, kind, body })
    }

    pub(crate) fn end(&self, what: &'static str) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed(what)) }
    }
}

/// Writes to the end of a buffer.
#[derive(Debug, Default)]
pub(crate) struct Output(pub(crate) Vec<u8>);

impl Output {
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from(self.0)
    }

    pub(crate) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    pub(crate) fn count(&mut self, count: usize) {
        // Nothing here comes near 4 GiB; a receiver rejects what does not add up.
        self.u32(u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(crate) fn sized(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, some: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            some(self, value);
        }
    }

    pub(crate) fn log_id(&mut self, value: LogId) {
        let Position { epoch, index } = position(value);
        self.u64(epoch);
        self.u64(index);
    }

    pub(crate) fn vote(&mut self, value: &Vote) {
        let Ballot { epoch, node, committed } = ballot(value);
        self.u64(epoch);
        self.u64(node);
        self.bool(committed);
    }

    pub(crate) fn voters(&mut self, voters: &Voters) {
        let configs = voters.get_joint_config();
        self.u8(u8::try_from(configs.len()).unwrap_or(u8::MAX));
        for config in configs {
            self.count(config.len());
            for &id in config {
                self.u64(id);
            }
        }
        self.count(voters.nodes().count());
        for (&id, node) in voters.nodes() {
            self.u64(id);
            self.0.extend_from_slice(&node.directory_id.0);
            self.sized(node.endpoint.as_bytes());
        }
    }

    pub(crate) fn snapshot_meta(&mut self, meta: &SnapshotMeta) {
        self.option(meta.last_log_id, Self::log_id);
        self.option(*meta.last_membership.log_id(), Self::log_id);
        self.voters(meta.last_membership.membership());
    }

    pub(crate) fn entry(&mut self, entry: &Entry) {
        let LogEntry { kind, body, .. } = to_log(entry);
        self.log_id(entry.log_id);
        self.u8(match kind {
            EntryKind::Blank => 0,
            EntryKind::Payload => 1,
            EntryKind::Voters => 2,
        });
        self.sized(&body);
    }
}

/// An entry as the log stores it.
pub(crate) fn to_log(entry: &Entry) -> LogEntry {
    let (kind, body) = match &entry.payload {
        EntryPayload::Blank => (EntryKind::Blank, Bytes::new()),
        EntryPayload::Normal(Payload(payload)) => (EntryKind::Payload, payload.clone()),
        EntryPayload::Membership(voters) => {
            let mut out = Output::default();
            out.voters(voters);
            (EntryKind::Voters, out.finish())
        }
    };
    LogEntry { position: position(entry.log_id), kind, body }
}

/// The entry that the log stored.
pub(crate) fn from_log(entry: LogEntry) -> Result<Entry, Malformed> {
    let payload = match entry.kind {
        EntryKind::Blank => EntryPayload::Blank,
        EntryKind::Payload => EntryPayload::Normal(Payload(entry.body)),
        EntryKind::Voters => {
            let mut input = Input(entry.body);
            let voters = input.voters()?;
            input.end("voters")?;
            EntryPayload::Membership(voters)
        }
    };
    Ok(Entry { log_id: log_id(entry.position), payload })
}
