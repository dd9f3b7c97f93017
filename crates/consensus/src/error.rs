//! Errors, each with what the caller may conclude from it.

use std::io;
use std::path::PathBuf;

use ottla_types::{DirectoryId, NodeId};

/// The node cannot take part.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Wrong configuration.
    #[error("quorum configuration: {0}")]
    Config(String),
    /// The directory cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// What was accessed.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Bytes that were synced have changed since.
    #[error(
        "{path} is damaged at byte {position}: {what}. It was written and synced before, so nothing is cut off: check \
         the disk. With other voters alive, empty the directory and let this node join again as a new voter; with \
         none, restore the directory from a copy"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What is wrong.
        what: String,
    },
    /// Another process has it.
    #[error(
        "{path} is in use by another process: stop that one, or give this node a directory of its own \
         (metadata.log.dir; without that, the first of log.dirs)"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The metadata is elsewhere, or lost.
    #[error(
        "{path} has no metadata, but {data} holds partitions: name the directory that has it (metadata.log.dir; without \
         that, the first of log.dirs), or mount or restore it. To begin anew, move the partitions away"
    )]
    NoMetadata {
        /// Where metadata is expected.
        path: PathBuf,
        /// Where there are partitions.
        data: PathBuf,
    },
    /// A later version wrote it.
    #[error("{path} has format {found}, this version reads up to {supported}: run the newer version")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The newest that this version reads.
        supported: u16,
    },
    /// The directory belongs to another node, or was copied.
    #[error(
        "{path} belongs to directory {found}, but this node's meta.properties says {expected}: point the node at its \
         own directory"
    )]
    WrongDirectory {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        found: DirectoryId,
        /// Whose it should be.
        expected: DirectoryId,
    },
    /// The Raft library refused.
    #[error("raft: {0}")]
    Raft(String),
}

/// A payload that was not seen committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// This node does not lead; the payload is not in any log.
    #[error("not the leader (leader: {})", .leader.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    NotLeader {
        /// Who leads, if known.
        leader: Option<NodeId>,
    },
    /// No majority answers; the payload is not in any log.
    #[error("no majority of the voters answers")]
    Unavailable,
    /// The payload was appended, then the leader changed or the node stopped: it may be committed now or later, or
    /// never. Only what is applied tells.
    #[error("the leader changed before the payload was seen committed: it may or may not be")]
    Unknown,
    /// Too large; the payload is not in any log.
    #[error("payload of {size} bytes is larger than the {max} bytes of one metadata batch: split it")]
    TooLarge {
        /// Its size, bytes.
        size: usize,
        /// The largest allowed.
        max: usize,
    },
    /// This node does not take part any more; the payload is not in any log.
    #[error("the quorum has stopped on this node: {0}")]
    Stopped(String),
}

/// A change of the members that was not made, or not seen made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// This node does not lead; nothing was changed.
    #[error("not the leader (leader: {})", .leader.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    NotLeader {
        /// Who leads, if known.
        leader: Option<NodeId>,
    },
    /// Something that passes was in the way for too long: an earlier change that is not committed yet, or a leader that
    /// has not committed anything in its epoch. Nothing was changed.
    #[error(
        "an earlier change of the voters, or the first entry of this leader's epoch, was not committed in time"
    )]
    InProgress,
    /// There is a voter of this id. A node whose directory was lost votes again once its old directory has been removed.
    #[error("the voter id {id} is already part of the set of voters [{voters}]: remove that voter first")]
    Duplicate {
        /// The id.
        id: NodeId,
        /// The voters.
        voters: String,
    },
    /// There is no such voter.
    #[error("voter {id} with directory {directory_id} is not part of the set of voters [{voters}]")]
    NotFound {
        /// The id.
        id: NodeId,
        /// Its directory.
        directory_id: DirectoryId,
        /// The voters.
        voters: String,
    },
    /// Nobody would be left.
    #[error("voter {id} is the only one: add another one first")]
    LastVoter {
        /// Its id.
        id: NodeId,
    },
    /// It does not follow, or is behind.
    #[error(
        "controller {id} with directory {directory_id} is lagging behind: it has to follow as an observer, and have the \
         whole log, before it may vote"
    )]
    Lagging {
        /// Its id.
        id: NodeId,
        /// Its directory.
        directory_id: DirectoryId,
    },
    /// No further node may take part.
    #[error("controller {id} may not join: the quorum has {members} members")]
    Full {
        /// Its id.
        id: NodeId,
        /// Voters and observers.
        members: usize,
    },
    /// It was proposed, and no majority of the new voters has it yet: it will take effect, or not.
    #[error("the change of the voters was not seen committed in time: it may or may not take effect")]
    TimedOut,
    /// It was proposed, then the leader changed.
    #[error("the leader changed before the change of the voters was seen committed: it may or may not be")]
    Unknown,
    /// This node does not take part any more.
    #[error("the quorum has stopped on this node: {0}")]
    Stopped(String),
}

/// A read that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// This node does not lead.
    #[error("not the leader (leader: {})", .leader.map_or_else(|| "unknown".to_owned(), |id| id.to_string()))]
    NotLeader {
        /// Who leads, if known.
        leader: Option<NodeId>,
    },
    /// No majority answers.
    #[error("no majority of the voters answers")]
    Unavailable,
    /// The log starts later, the snapshot covers what was asked for.
    #[error("offset is before the start of the log: read the snapshot first")]
    BeforeLogStart,
    /// The disk failed, or this node has stopped.
    #[error("the quorum has stopped on this node: {0}")]
    Stopped(String),
}
