//! Opens the directory of the quorum, and finds out who this node is in it.

use std::io;
use std::sync::Arc;

use ottla_env::{Disk, File, create_dir_durably};

use crate::config::QuorumConfig;
use crate::error::StartError;
use crate::lock;
use crate::log::{EntryKind, LogOptions, RaftLog};
use crate::raft::codec::Input;
use crate::raft::sanity::MAX_EPOCH;
use crate::raft::types::{Voters, founder_id, joiner_id};
use crate::snapshot::SnapshotStore;
use crate::{formation, members};

/// What a node starts from.
pub(crate) struct Opened {
    pub(crate) log: RaftLog,
    pub(crate) snapshots: SnapshotStore,
    /// The quorum has yet to be formed, or this node to be taken in.
    pub(crate) is_empty: bool,
    pub(crate) raft_id: u64,
    pub(crate) lock: Arc<dyn File>,
}

/// Opens the directory: the log, and the snapshots it starts from.
pub(crate) async fn open_storage(config: &QuorumConfig, disk: Arc<dyn Disk>) -> Result<Opened, StartError> {
    let options = LogOptions {
        dir: config.data_dir.clone(),
        directory_id: config.directory_id,
        segment_bytes: config.limits.segment_bytes,
        room_bytes: config.limits.room_bytes,
        cache_bytes: config.limits.cache_bytes,
    };
    let forming = config.clone();
    let open = move || {
        let dir = options.dir.clone();
        let io = |source| StartError::Io { path: dir.clone(), source };
        create_dir_durably(disk.as_ref(), &dir).map_err(io)?;
        let lock = lock::take(disk.as_ref(), &dir)?;
        let snapshots = SnapshotStore::open(Arc::clone(&disk), &dir)?;
        let log = RaftLog::open(disk, options)?;
        let newest = snapshots.newest().map_err(io)?;
        let state = log.state();
        let epochs = [state.ballot.map(|ballot| ballot.epoch), state.last.map(|last| last.epoch)];
        if let Some(epoch) = epochs.into_iter().flatten().find(|epoch| *epoch > MAX_EPOCH) {
            let what = format!("the log is of epoch {epoch}, which no quorum comes to");
            return Err(StartError::Damaged { path: dir, position: 0, what });
        }
        if let Some(purged) = log.state().purged
            && newest.is_none_or(|newest| newest.index < purged.index)
        {
            let what =
                format!("the log begins after offset {}, but there is no snapshot up to there", purged.index);
            return Err(StartError::Damaged { path: dir, position: 0, what });
        }
        // Whoever takes or gets a snapshot has a vote before.
        let has_log = state.last.is_some() || state.ballot.is_some();
        if let Some(newest) = newest.filter(|newest| !has_log && *newest != formation::FIRST) {
            let what = format!(
                "the log and its votes are gone, but there is a snapshot up to offset {}",
                newest.index
            );
            return Err(StartError::Damaged { path: dir, position: 0, what });
        }
        let mut is_empty = !has_log && newest.is_none();
        if is_empty && let Some(state) = &forming.initial_state {
            formation::take_over(&forming, &snapshots, state)?;
            is_empty = false;
        }
        let raft_id = own_raft_id(&forming, &log, &snapshots).map_err(io)?;
        Ok(Opened { log, snapshots, is_empty, raft_id, lock })
    };
    let joined = tokio::task::spawn_blocking(open).await;
    joined.map_err(|e| StartError::Io { path: config.data_dir.clone(), source: io::Error::other(e) })?
}

/// Raft's id of this node: as the log or the snapshot has it, or as it is to be.
fn own_raft_id(config: &QuorumConfig, log: &RaftLog, snapshots: &SnapshotStore) -> io::Result<u64> {
    let malformed = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let own = |members: &Voters| {
        members::find(members, config.node_id, config.directory_id).map(|(raft_id, _)| raft_id)
    };
    for entry in log.reader().of_kind(EntryKind::Voters)? {
        let members = Input(entry.body).voters().map_err(malformed)?;
        if let Some(raft_id) = own(&members) {
            return Ok(raft_id);
        }
    }
    if let Some(head) = snapshots.newest_head()? {
        let meta = Input(head).snapshot_meta().map_err(malformed)?;
        if let Some(raft_id) = own(meta.last_membership.membership()) {
            return Ok(raft_id);
        }
    }
    Ok(match config.voters.is_empty() {
        false => founder_id(config.node_id),
        true => joiner_id(config.node_id, config.directory_id),
    })
}
