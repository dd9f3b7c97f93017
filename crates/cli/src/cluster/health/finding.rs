//! What is wrong, or worth to know.

use ottla_client::{NodeId, TopicPartition};
use serde::Serialize;

/// How many partitions are named to people.
const NAMED: usize = 3;

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) severity: Severity,
    pub(super) kind: Kind,
    /// The brokers or controllers that it is about, or by which it would end.
    pub(super) nodes: Vec<i32>,
    /// The partitions that it is about.
    pub(super) partitions: Vec<Partition>,
    /// What it is, for people.
    pub(super) message: String,
    /// What to do about it, for people.
    pub(super) remedy: String,
}

/// Whether the cluster is healthy with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Fault,
    Info,
}

impl Severity {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Info => "info",
        }
    }
}

/// What it is, for programs: the names do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// No controller leads, or none answers.
    NoController,
    /// Nobody listens where a voter should.
    VoterDown,
    /// A voter lacks what is committed, and gets no nearer.
    VoterBehind,
    /// Registered, and fenced.
    BrokerFenced,
    /// It should hold partitions, and is not there.
    BrokerMissing,
    /// The cluster takes it for alive, but it does not answer here.
    BrokerSilent,
    /// A log directory failed.
    LogDirOffline,
    /// Partitions without a leader.
    Offline,
    /// Partitions with fewer in-sync replicas than `min.insync.replicas`.
    UnderMinIsr,
    /// Under-replicated partitions with just as many.
    AtMinIsr,
    /// Under-replicated partitions with more.
    UnderReplicated,
    /// Something could not be found out.
    NotAnswered,
    /// Partitions on the move.
    Reassigning,
    /// Partitions that another than their preferred leader leads.
    NotPreferredLeader,
    /// This version of the cluster does not tell.
    NotTold,
}

impl Kind {
    const fn severity(self) -> Severity {
        match self {
            Self::Reassigning | Self::NotPreferredLeader | Self::NotTold => Severity::Info,
            _ => Severity::Fault,
        }
    }
}

/// A partition, for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Partition {
    topic: String,
    partition: i32,
}

impl Finding {
    pub(super) fn new(kind: Kind, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: kind.severity(),
            kind,
            nodes: Vec::new(),
            partitions: Vec::new(),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    pub(super) fn nodes(mut self, nodes: impl IntoIterator<Item = NodeId>) -> Self {
        self.nodes = nodes.into_iter().map(|id| id.0).collect();
        self
    }

    pub(super) fn partitions<'a>(mut self, all: impl IntoIterator<Item = &'a TopicPartition>) -> Self {
        let named =
            |at: &TopicPartition| Partition { topic: at.topic.to_string(), partition: at.partition.0 };
        self.partitions = all.into_iter().map(named).collect();
        self
    }
}

/// `broker 2`, or `brokers 2,3`.
pub(super) fn named(what: &str, nodes: impl IntoIterator<Item = NodeId>) -> String {
    let ids: Vec<_> = nodes.into_iter().map(|id| id.to_string()).collect();
    format!("{what}{} {}", if ids.len() == 1 { "" } else { "s" }, ids.join(","))
}

/// `1 partition`, or `2 partitions`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// The first few, and how many more.
pub(super) fn some(partitions: &[TopicPartition]) -> String {
    let first: Vec<_> = partitions.iter().take(NAMED).map(ToString::to_string).collect();
    let more = partitions.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", first.join(", "))
}
