//! The host's state machine and the snapshot files, as openraft's state machine.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use openraft::EntryPayload;
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::raft::codec::{Input, Output};
use crate::raft::types::{
    LogId, Payload, Snapshot, SnapshotMeta, StoredVoters, TypeConfig, epoch, offset, position,
};
use crate::snapshot::SnapshotStore;
use crate::state_machine::StateMachine;

/// The state machine, with how far it has come.
pub(crate) struct Machine {
    /// Only ever used through `&mut`; the mutex makes it shareable.
    inner: Mutex<Box<dyn StateMachine>>,
    applied: Option<LogId>,
    voters: StoredVoters,
    snapshots: SnapshotStore,
    growth: Arc<Growth>,
}

/// How much was applied since the last snapshot.
#[derive(Debug)]
pub(crate) struct Growth {
    bytes: AtomicU64,
    limit_bytes: u64,
    /// Told when a snapshot is due.
    pub(crate) is_due: Notify,
}

impl Growth {
    pub(crate) fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicU64::new(0), limit_bytes, is_due: Notify::new() })
    }

    fn add(&self, bytes: u64) {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) >= self.limit_bytes {
            self.is_due.notify_one();
        }
    }
}

impl Machine {
    pub(crate) fn new(inner: Box<dyn StateMachine>, snapshots: SnapshotStore, growth: Arc<Growth>) -> Self {
        Self { inner: Mutex::new(inner), applied: None, voters: StoredVoters::default(), snapshots, growth }
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredVoters)> {
        Ok((self.applied, self.voters.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + Send,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            match &entry.payload {
                EntryPayload::Blank => {}
                EntryPayload::Normal(Payload(payload)) => {
                    let at = offset(entry.log_id.index);
                    // An error ends openraft's worker: nothing is applied, and no snapshot taken, after a gap.
                    self.inner
                        .get_mut()
                        .apply(at, epoch(entry.log_id.leader_id.term), payload)
                        .map_err(|e| failed(format_args!("offset {at} cannot be applied"), &e))?;
                    self.growth.add(payload.len() as u64);
                }
                EntryPayload::Membership(voters) => {
                    self.voters = StoredVoters::new(Some(entry.log_id), voters.clone());
                }
            }
            self.applied = Some(entry.log_id);
            if let Some(responder) = responder {
                responder.send(());
            }
        }
        Ok(())
    }

    async fn try_create_snapshot_builder(&mut self, _force: bool) -> Option<Builder> {
        Some(self.builder())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        self.builder()
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, snapshot: Bytes) -> io::Result<()> {
        let Some(last) = meta.last_log_id else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a snapshot of nothing"));
        };
        // At start it is the one that was read from there.
        if self.snapshots.newest()? != Some(position(last)) {
            write_file(&self.snapshots, last, meta.clone(), snapshot.clone()).await?;
        }
        self.inner
            .get_mut()
            .restore(offset(last.index), epoch(last.leader_id.term), &snapshot)
            .map_err(|e| failed(format_args!("snapshot at offset {}", last.index), &e))?;
        self.applied = meta.last_log_id;
        self.voters = meta.last_membership.clone();
        self.growth.bytes.store(0, Ordering::Relaxed);
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let snapshots = self.snapshots.clone();
        let newest = tokio::task::spawn_blocking(move || snapshots.read_newest());
        let Some((_, file)) = newest.await.map_err(io::Error::other)?? else { return Ok(None) };
        let mut head = Input(file.head);
        let meta = head.snapshot_meta().and_then(|meta| head.end("snapshot").map(|()| meta));
        let meta = meta.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Ok(Some(Snapshot { meta, snapshot: file.state }))
    }
}

impl Machine {
    fn builder(&mut self) -> Builder {
        let meta = SnapshotMeta { last_log_id: self.applied, last_membership: self.voters.clone() };
        self.growth.bytes.store(0, Ordering::Relaxed);
        let state = self.inner.get_mut().snapshot().map_err(|e| e.to_string());
        Builder { meta, state, snapshots: self.snapshots.clone() }
    }
}

/// A snapshot taken, on its way to disk.
#[derive(Debug)]
pub(crate) struct Builder {
    meta: SnapshotMeta,
    /// Or why there is none; openraft takes errors only when it is built.
    state: Result<Bytes, String>,
    snapshots: SnapshotStore,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let state = self.state.clone().map_err(|e| failed(format_args!("no snapshot can be taken"), &e))?;
        // Before the first entry there is nothing that a file could be named after.
        if let Some(last) = self.meta.last_log_id {
            write_file(&self.snapshots, last, self.meta.clone(), state.clone()).await?;
        }
        Ok(Snapshot { meta: self.meta.clone(), snapshot: state })
    }
}

/// The state machine's error, as openraft takes it.
fn failed(what: std::fmt::Arguments<'_>, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}: {error}"))
}

async fn write_file(
    snapshots: &SnapshotStore,
    last: LogId,
    meta: SnapshotMeta,
    state: Bytes,
) -> io::Result<()> {
    let snapshots = snapshots.clone();
    let write = move || {
        let mut head = Output::default();
        head.snapshot_meta(&meta);
        snapshots.write(position(last), &head.0, &state)
    };
    tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
}

#[cfg(test)]
#[path = "machine_test.rs"]
mod tests;
