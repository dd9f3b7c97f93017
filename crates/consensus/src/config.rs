//! What a quorum needs to know before it starts.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use ottla_types::{DirectoryId, NodeId};

use crate::error::StartError;

/// A node that votes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// `node.id` of the controller.
    pub id: NodeId,
    /// `host:port` of its controller listener; for display, the [`Transport`](crate::Transport) does the dialling.
    pub endpoint: String,
}

/// Where and with whom a node votes.
#[derive(Clone, Debug)]
pub struct QuorumConfig {
    /// This node.
    pub node_id: NodeId,
    /// The identity of `data_dir` (Kafka's `directory.id`); a log that carries another one is refused.
    pub directory_id: DirectoryId,
    /// The cluster; requests of another one are refused.
    pub cluster_id: String,
    /// Every voter of a quorum that is being formed, this node among them. Once formed, the log knows better. None if this
    /// node does not form one, but joins one.
    pub voters: Vec<Voter>,
    /// Where this node is reached by others: `host:port`.
    pub endpoint: String,
    /// Controllers that know the quorum, as `host:port`: where this node asks to be taken in when nobody sends it anything.
    pub bootstrap: Vec<String>,
    /// Where the log and the snapshots are; created when it is not there. Nothing else lives in it.
    pub data_dir: PathBuf,
    /// A directory with data that this quorum's log must tell about, if there is one: then no new quorum is formed.
    pub data_in: Option<PathBuf>,
    /// What the state machine begins with when the quorum is formed, as [`StateMachine::snapshot`](crate::StateMachine)
    /// gives it: the state of a cluster that is taken over. Not looked at once there is a quorum. This node has to be its
    /// only voter; others get it with the snapshot when they join.
    pub initial_state: Option<Bytes>,
    /// Elections and heartbeats.
    pub timing: Timing,
    /// Sizes.
    pub limits: Limits,
}

impl QuorumConfig {
    /// A quorum of one with the default timing and limits.
    pub fn standalone(
        node_id: NodeId,
        directory_id: DirectoryId,
        cluster_id: impl Into<String>,
        data_dir: impl Into<PathBuf>,
    ) -> Self {
        Self {
            node_id,
            directory_id,
            cluster_id: cluster_id.into(),
            voters: vec![Voter { id: node_id, endpoint: String::new() }],
            endpoint: String::new(),
            bootstrap: Vec::new(),
            data_dir: data_dir.into(),
            data_in: None,
            initial_state: None,
            timing: Timing::default(),
            limits: Limits::default(),
        }
    }

    /// Whether a quorum can run on it.
    pub(crate) fn validate(&self) -> Result<(), StartError> {
        let wrong = |what: String| Err(StartError::Config(what));
        let mut ids: Vec<_> = self.voters.iter().map(|voter| voter.id).collect();
        ids.sort_unstable();
        if let Some(negative) = ids.iter().find(|id| id.0 < 0) {
            return wrong(format!("voter {negative}: a node id is 0 or larger"));
        }
        if let Some([twice, _]) = ids.array_windows().find(|[a, b]| a == b) {
            return wrong(format!("voter {twice} is listed twice in controller.quorum.voters"));
        }
        if ids.is_empty() && self.bootstrap.is_empty() {
            return wrong(
                "neither voters nor servers to find them: set controller.quorum.voters or \
                          controller.quorum.bootstrap.servers"
                    .to_owned(),
            );
        }
        if !ids.is_empty() && !ids.contains(&self.node_id) {
            return wrong(format!(
                "node {} is not among the voters {ids:?}: add it to controller.quorum.voters",
                self.node_id
            ));
        }
        if self.initial_state.is_some() && self.voters.len() != 1 {
            return wrong(format!(
                "a cluster that is taken over begins with one voter, not with {ids:?}: name only node {} in \
                 controller.quorum.voters, and add the others later",
                self.node_id
            ));
        }
        let Timing { heartbeat, election_min, election_max, .. } = self.timing;
        if heartbeat.is_zero() || heartbeat * 2 > election_min || election_min >= election_max {
            return wrong(format!(
                "heartbeat {heartbeat:?}, election timeout {election_min:?} to {election_max:?}: two heartbeats must fit \
                 the shortest election timeout, which must be below the longest"
            ));
        }
        if self.limits.max_payload_bytes > MAX_PAYLOAD_BYTES {
            return wrong(format!(
                "payloads of {} bytes: at most {MAX_PAYLOAD_BYTES}",
                self.limits.max_payload_bytes
            ));
        }
        Ok(())
    }

    /// openraft's configuration.
    pub(crate) fn to_raft(&self) -> Result<openraft::Config, StartError> {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let Timing { heartbeat, election_min, election_max, .. } = self.timing;
        let config = openraft::Config {
            cluster_name: self.cluster_id.clone(),
            heartbeat_interval: millis(heartbeat),
            election_timeout_min: millis(election_min),
            election_timeout_max: millis(election_max),
            // Bounds what one append to a follower can carry together with the byte limit of the log reader.
            max_payload_entries: 1000,
            // Snapshots follow bytes, not entries; see `snapshot_when_due`.
            snapshot_policy: openraft::SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: self.limits.retained_entries,
            purge_batch_size: (self.limits.retained_entries / 2).max(1),
            enable_pre_vote: Some(true),
            // A leader that lost its majority falls silent for so long that the others can elect (CheckQuorum); the
            // bound is openraft's: lease plus the longest election timeout.
            quorum_loss_probe_interval: Some(millis(election_max * 2)),
            // A leader that restarts may have sent entries that its own disk lost: it may not use its old epoch again.
            enable_leader_restore: Some(false),
            backoff: "100ms".to_owned(),
            ..openraft::Config::default()
        };
        config.validate().map_err(|e| StartError::Config(e.to_string()))
    }
}

/// Far below the longest frame of the log.
const MAX_PAYLOAD_BYTES: usize = 32 << 20;

/// Elections and heartbeats. A dead leader is replaced after its lease (`election_max`) and one election timeout
/// (`election_min..election_max`): with the defaults 0.65–0.8 s, as measured in `docs/adr/0001-openraft.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two heartbeats of the leader.
    pub heartbeat: Duration,
    /// Shortest time without a leader before a node asks for votes.
    pub election_min: Duration,
    /// Longest such time, and the lease of a leader that a quorum has answered.
    pub election_max: Duration,
    /// Deadline of one append to a peer.
    pub append_timeout: Duration,
    /// Deadline of one piece of a snapshot.
    pub snapshot_timeout: Duration,
    /// After such a silence an observer is forgotten; it joins again when it is back (Kafka: 5 min).
    pub observer_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(100),
            election_min: Duration::from_millis(250),
            election_max: Duration::from_millis(400),
            append_timeout: Duration::from_secs(2),
            snapshot_timeout: Duration::from_secs(10),
            observer_timeout: Duration::from_secs(300),
        }
    }
}

/// Sizes, in bytes unless named otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A log segment is closed when it would grow beyond this; its blocks are reserved at creation.
    pub segment_bytes: u64,
    /// A log segment grows by this at a time.
    pub room_bytes: u64,
    /// Largest payload of one proposal (Kafka: `BatchAccumulator`, 8 MiB).
    pub max_payload_bytes: usize,
    /// A snapshot is taken when this much has been applied since the last one (Kafka:
    /// `metadata.log.max.record.bytes.between.snapshots`, 20 MiB).
    pub snapshot_interval_bytes: u64,
    /// Entries kept in the log although a snapshot covers them, for followers and brokers that lag a little.
    pub retained_entries: u64,
    /// Payloads of the newest entries that are kept in memory.
    pub cache_bytes: usize,
    /// Largest snapshot that is accepted from a peer.
    pub max_snapshot_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            segment_bytes: 8 << 20,
            room_bytes: 128 << 10,
            max_payload_bytes: 8 << 20,
            snapshot_interval_bytes: 20 << 20,
            retained_entries: 10_000,
            cache_bytes: 2 << 20,
            max_snapshot_bytes: 1 << 30,
        }
    }
}
