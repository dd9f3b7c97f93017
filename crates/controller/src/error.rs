//! Why the controller does not decide.

use ottla_types::NodeId;

/// Why a request was not decided, or what was decided is not known to be committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControllerError {
    /// Another node decides. The same request may be sent there.
    #[error("this node is not the active controller (it is {})", .leader.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    NotActive {
        /// Who leads the quorum, if known.
        leader: Option<NodeId>,
    },
    /// It was decided, and may or may not be committed: the leader changed meanwhile. Asking again shows.
    #[error("the controller changed before the decision was seen committed: it may or may not take effect")]
    Unknown,
    /// One request changes more than one batch can hold.
    #[error("the request changes too much at once ({size} bytes of metadata, at most {max}): split it")]
    TooLarge {
        /// What it would take, bytes.
        size: usize,
        /// The most that is possible.
        max: usize,
    },
    /// A fault of this node: it has been logged.
    #[error("the controller on this node has failed: {0}")]
    Failed(String),
}

/// Why a controller can no longer take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The log of the quorum.
    #[error("the metadata quorum failed: {0}; check the device, then start again")]
    Quorum(String),
    /// What was agreed on cannot be applied here.
    #[error("the metadata cannot be followed: {0}")]
    Metadata(String),
}
