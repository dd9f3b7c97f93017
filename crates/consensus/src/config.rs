//! What a quorum needs to know before it starts.

use std::path::PathBuf;
use std::time::Duration;

use ottla_types::{DirectoryId, NodeId};

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
    /// Every voter of a quorum that is being formed, this node among them. Once formed, the log knows better.
    pub voters: Vec<Voter>,
    /// Where the log and the snapshots are; created when it is not there. Nothing else lives in it.
    pub data_dir: PathBuf,
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
            data_dir: data_dir.into(),
            timing: Timing::default(),
            limits: Limits::default(),
        }
    }
}

/// Elections and heartbeats. A dead leader is replaced after its lease (`election_max`) and one election timeout
/// (`election_min..election_max`): with the defaults 0.8–1.0 s, as measured in `docs/adr/0001-openraft.md`.
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
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(100),
            election_min: Duration::from_millis(300),
            election_max: Duration::from_millis(500),
            append_timeout: Duration::from_secs(2),
            snapshot_timeout: Duration::from_secs(10),
        }
    }
}

/// Sizes, in bytes unless named otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A log segment is closed when it would grow beyond this; its blocks are reserved at creation.
    pub segment_bytes: u64,
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
            max_payload_bytes: 8 << 20,
            snapshot_interval_bytes: 20 << 20,
            retained_entries: 10_000,
            cache_bytes: 2 << 20,
            max_snapshot_bytes: 1 << 30,
        }
    }
}
