//! Why the controller does not decide.

use ottla_consensus::ChangeError;
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

/// Why the voters stay as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VoterError {
    /// Another cluster is meant.
    #[error("The given id \"{given}\" doesn't match the cluster id \"{own}\"")]
    ClusterId {
        /// What the request says.
        given: String,
        /// This cluster.
        own: String,
    },
    /// Another node leads the quorum.
    #[error("this controller does not lead the quorum (leader: {})", .leader.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    NotLeader {
        /// Who does, if known.
        leader: Option<NodeId>,
    },
    /// Who asks knows an older epoch.
    #[error("the epoch {given} is before {own}")]
    FencedEpoch {
        /// What the request says.
        given: i32,
        /// The quorum's.
        own: i32,
    },
    /// Who asks knows a newer epoch.
    #[error("the epoch {given} is not known here yet")]
    UnknownEpoch {
        /// What the request says.
        given: i32,
    },
    /// Voters are named in the configuration.
    #[error(
        "the voters are those of controller.quorum.voters, because the feature kraft.version is 0: upgrade it to 1 first \
         (kafka-features upgrade --feature kraft.version=1)"
    )]
    FixedVoters,
    /// No node, or no directory.
    #[error("the request names no voter: it takes a node id of 0 or more and a directory id")]
    NoVoter,
    /// There is no way to the voter.
    #[error(
        "the request does not tell where the voter listens for controllers: name the endpoint of {listener}"
    )]
    NoListener {
        /// The listener of controllers.
        listener: String,
    },
    /// A voter that could not follow.
    #[error("the voter supports kraft.version {min} to {max}, but {level} is finalized")]
    KRaftVersion {
        /// The lowest that it supports.
        min: i16,
        /// The highest.
        max: i16,
        /// What is finalized.
        level: i16,
    },
    /// The quorum did not make the change.
    #[error(transparent)]
    Change(#[from] ChangeError),
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
