//! Who votes in Kafka's metadata quorum: the newest record that says so, else the file `quorum-state`.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use ottla_env::{Disk, OpenOptions};
use ottla_protocol::records::control::{LeaderChangeMessage, VotersRecord};
use ottla_protocol::{Message, Reader, Version};
use ottla_types::NodeId;

use crate::error::ImportError;
use crate::kafka_metadata::batches::Batches;

const QUORUM_STATE: &str = "quorum-state";
/// Far above what the file has.
const MAX_BYTES: usize = 1 << 20;
/// The newest version of LeaderChangeMessage.
const LEADER_CHANGE_VERSION: Version = 1;

/// The voters as of the election of a leader (KIP-595).
pub(crate) fn of_leader_change(value: &Bytes, batches: &Batches) -> Result<BTreeSet<NodeId>, ImportError> {
    let message: LeaderChangeMessage = decode(value, LEADER_CHANGE_VERSION, batches)?;
    Ok(message.voters.iter().map(|voter| NodeId(voter.voter_id)).collect())
}

/// The voters of a quorum whose voters may change (KIP-853).
pub(crate) fn of_voters_record(value: &Bytes, batches: &Batches) -> Result<BTreeSet<NodeId>, ImportError> {
    let record: VotersRecord = decode(value, 0, batches)?;
    Ok(record.voters.iter().map(|voter| NodeId(voter.voter_id)).collect())
}

/// A message whose first field is its version.
fn decode<M: Message>(value: &Bytes, newest: Version, batches: &Batches) -> Result<M, ImportError> {
    let version = value.first_chunk().map(|bytes| i16::from_be_bytes(*bytes));
    let Some(version) = version.filter(|version| (0..=newest).contains(version)) else {
        return Err(
            batches.damaged(format!("a control record of version {version:?}, known are 0 to {newest}"))
        );
    };
    M::decode(&mut Reader::new(value), version).map_err(|e| batches.damaged(e))
}

/// The voters that `quorum-state` has in its version 0, where they come from the configuration.
pub(crate) fn of_quorum_state(disk: &dyn Disk, folder: &Path) -> Result<BTreeSet<NodeId>, ImportError> {
    let unknown = || ImportError::UnknownVoters { dir: folder.to_owned() };
    let path = folder.join(QUORUM_STATE);
    let read = || {
        let file = disk.open(&path, OpenOptions::READ)?;
        let mut bytes = vec![0; usize::try_from(file.len()?).unwrap_or(usize::MAX).min(MAX_BYTES)];
        file.read_exact_at(&mut bytes, 0)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let Ok(bytes) = read() else { return Err(unknown()) };
    let state: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| unknown())?;
    let voters = state.get("currentVoters").and_then(|voters| voters.as_array()).ok_or_else(unknown)?;
    let id = |voter: &serde_json::Value| i32::try_from(voter.get("voterId")?.as_i64()?).ok().map(NodeId);
    voters
        .iter()
        .map(id)
        .collect::<Option<BTreeSet<_>>>()
        .filter(|voters| !voters.is_empty())
        .ok_or_else(unknown)
}
