//! The first formation of a quorum: voters tell each other their directory ids, then the one with the lowest node id
//! writes the first entry, which names them all. Where a cluster is taken over, a snapshot with its state is in the place
//! of that entry.

use std::collections::BTreeMap;
use std::time::Duration;

use openraft::Raft;
use openraft::errors::{InitializeError, RaftError};
use ottla_types::{DirectoryId, NodeId};
use tokio::task::AbortHandle;

use crate::config::{QuorumConfig, Voter};
use crate::error::StartError;
use crate::log::Position;
use crate::raft::codec::Output;
use crate::raft::machine::Machine;
use crate::raft::messages::{self, Identity};
use crate::raft::network::{Asked, Network};
use crate::raft::types::{SnapshotMeta, StoredVoters, TypeConfig, VoterNode, Voters, founder_id, log_id};
use crate::snapshot::SnapshotStore;
use crate::transport::{Destination, RpcKind};

/// The place of the entry that forms a quorum.
pub(crate) const FIRST: Position = Position { epoch: 0, index: 0 };

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);

/// Forms the quorum: at once if this node is the only voter, in a task if it has to wait for others, not at all if
/// another node has to do it.
pub(crate) async fn form(
    config: QuorumConfig,
    raft: Raft<TypeConfig, Machine>,
    network: Network,
) -> Result<Option<AbortHandle>, StartError> {
    if config.voters.len() == 1 {
        let directories = BTreeMap::from([(config.node_id, config.directory_id)]);
        initialize(&config, &raft, &directories).await?;
        return Ok(None);
    }
    if config.voters.iter().any(|voter| voter.id < config.node_id) {
        return Ok(None);
    }
    let task = tokio::spawn(async move {
        if let Some(directories) = meet(&config, &network).await
            && let Err(error) = initialize(&config, &raft, &directories).await
        {
            tracing::error!(%error, "the quorum could not be formed");
        }
    });
    Ok(Some(task.abort_handle()))
}

/// Asks until every other voter has told its directory. `None` when one of them has been in a quorum before: then
/// there is nothing to form, and that quorum decides whether this node is one of its voters.
async fn meet(config: &QuorumConfig, network: &Network) -> Option<BTreeMap<NodeId, DirectoryId>> {
    let mut directories = BTreeMap::from([(config.node_id, config.directory_id)]);
    loop {
        for voter in &config.voters {
            if directories.contains_key(&voter.id) {
                continue;
            }
            match identify(config, network, voter).await {
                Some(Identity { has_log: true, .. }) => {
                    tracing::warn!(voter = %voter.id, node = %config.node_id,
                        "this node's directory is empty, but another voter is in a quorum: not forming a new one");
                    return None;
                }
                Some(Identity { directory_id, .. }) => {
                    directories.insert(voter.id, directory_id);
                }
                None => {}
            }
        }
        if directories.len() == config.voters.len() {
            return Some(directories);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn identify(config: &QuorumConfig, network: &Network, voter: &Voter) -> Option<Identity> {
    let to = Destination { id: Some(voter.id), endpoint: voter.endpoint.clone() };
    let asked = network.ask(&to, RpcKind::Identify, config.timing.append_timeout, |_| {}).await;
    let refusal = match asked {
        Ok(mut body) => match messages::take_identity(&mut body) {
            Ok(identity) => return Some(identity),
            Err(malformed) => malformed.to_string(),
        },
        Err(Asked::Refused(refusal)) => refusal.to_string(),
        Err(Asked::Silent) => return None,
    };
    if network.told.is_news(&refusal) {
        tracing::warn!(voter = %voter.id, %refusal, "a voter does not form the quorum with this node");
    }
    None
}

/// Forms the quorum of this node alone with `state` as what it has agreed about. Durable on return, and all or nothing.
pub(crate) fn take_over(
    config: &QuorumConfig,
    snapshots: &SnapshotStore,
    state: &[u8],
) -> Result<(), StartError> {
    let directories = BTreeMap::from([(config.node_id, config.directory_id)]);
    let members = members(config, &directories);
    let voters = Voters::new(vec![members.keys().copied().collect()], members)
        .map_err(|e| StartError::Raft(e.to_string()))?;
    let first = log_id(FIRST);
    let mut head = Output::default();
    head.snapshot_meta(&SnapshotMeta {
        last_log_id: Some(first),
        last_membership: StoredVoters::new(Some(first), voters),
    });
    let io = |source| StartError::Io { path: config.data_dir.clone(), source };
    snapshots.write(FIRST, &head.0, state).map_err(io)
}

async fn initialize(
    config: &QuorumConfig,
    raft: &Raft<TypeConfig, Machine>,
    directories: &BTreeMap<NodeId, DirectoryId>,
) -> Result<(), StartError> {
    match raft.initialize(members(config, directories)).await {
        // Somebody else was quicker.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(StartError::Raft(error.to_string())),
    }
}

fn members(config: &QuorumConfig, directories: &BTreeMap<NodeId, DirectoryId>) -> BTreeMap<u64, VoterNode> {
    let members = config.voters.iter().map(|voter| {
        let directory_id = directories.get(&voter.id).copied().unwrap_or_default();
        (founder_id(voter.id), VoterNode { directory_id, endpoint: voter.endpoint.clone() })
    });
    members.collect()
}
