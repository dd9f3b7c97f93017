//! What the quorum agrees about.

use bytes::Bytes;
use ottla_types::{LeaderEpoch, Offset};

/// Why a state machine cannot go on. The node stops, and nothing is recorded as applied that was not.
pub type StateMachineError = Box<dyn std::error::Error + Send + Sync>;

/// Whether a snapshot can be restored.
pub type SnapshotCheck = fn(&Bytes) -> Result<(), StateMachineError>;

/// The state that committed payloads build, the same on every voter. Called from one task, in the order of the log.
///
/// ```text
///  offset   0           1       2         3         4
///         [voters]   [epoch]  payload   payload  [epoch]     [..]: the quorum's own entries, not applied here
/// ```
pub trait StateMachine: Send + 'static {
    /// Takes one committed payload. Offsets only grow; those of the quorum's own entries are left out. An error stops the
    /// node, and the payload is applied again when it starts.
    fn apply(&mut self, offset: Offset, epoch: LeaderEpoch, payload: &Bytes)
    -> Result<(), StateMachineError>;

    /// The whole state as of the last `apply`. An error stops the node, which keeps the snapshots that it has.
    fn snapshot(&self) -> Result<Bytes, StateMachineError>;

    /// Replaces the whole state by a snapshot that covers everything up to and including `offset`. Called at start
    /// before any `apply`, and on a follower that lags too far. An error stops the node.
    fn restore(
        &mut self,
        offset: Offset,
        epoch: LeaderEpoch,
        snapshot: &Bytes,
    ) -> Result<(), StateMachineError>;

    /// How a snapshot that another node sent is checked before this one keeps it. Without it `restore` is the first to look, after
    /// the snapshot has been stored.
    fn snapshot_check(&self) -> SnapshotCheck {
        |_| Ok(())
    }
}
