//! What clients and replicas saw: facts only. What they must not be is in `rules`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ottla_metadata::image::PartitionImage;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset};

use crate::Value;

/// All of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order of sending, of each writer.
    pub sends: Vec<Send>,
    /// In any order.
    pub reads: Vec<Read>,
    /// In the order of observation.
    pub watermarks: Vec<Watermark>,
    /// In any order.
    pub appends: Vec<Append>,
    /// In the order of commitment.
    pub versions: Vec<Version>,
    /// In the order of commitment.
    pub elections: Vec<Election>,
    /// When leaders answered clients last.
    pub served: BTreeMap<Led, Duration>,
    /// Lost leaderships, and from when on the leader answers no client: at once if its broker was fenced, else when it has to know.
    pub deposed: Vec<(Led, Duration)>,
    /// Which epochs fetches named that leaders answered.
    pub fetches: BTreeSet<(Led, LeaderEpoch)>,
    /// Brokers' epochs that their disks are sure to have.
    pub noted: BTreeSet<(NodeId, BrokerEpoch)>,
    /// In the order of commitment.
    pub restarts: Vec<Restart>,
    /// In any order.
    pub truncations: Vec<Truncation>,
    /// At the end, when all replicas were in sync.
    pub dumps: Vec<Dump>,
    /// What did not come about after all faults were healed.
    pub unmet: Vec<String>,
}

/// How a send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged at this offset.
    Ok(Offset),
    /// Acknowledged, without a word about where: the acknowledgement that had the offset was lost.
    OkSomewhere,
    /// Surely not appended.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// A record that was sent.
#[derive(Clone, Debug)]
pub struct Send {
    /// Where to.
    pub partition: i32,
    /// What.
    pub value: Value,
    /// It is deduplicated, and sent again until it is acknowledged.
    pub idempotent: bool,
    /// acks=all.
    pub all: bool,
    /// When it was sent.
    pub invoked: Duration,
    /// When its outcome was known.
    pub ended: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// A leader said that an acknowledged record before it is missing.
    pub out_of_order: bool,
}

/// A record that a consumer saw.
#[derive(Clone, Debug)]
pub struct Read {
    /// Where.
    pub partition: i32,
    /// At which offset.
    pub offset: Offset,
    /// What.
    pub value: Value,
}

/// The ends of a leader's log.
#[derive(Clone, Debug)]
pub struct Watermark {
    /// Of which partition.
    pub partition: i32,
    /// Who said so, and in which life of its process.
    pub leader: (NodeId, u64),
    /// The leader epoch that it led in.
    pub epoch: LeaderEpoch,
    /// The first offset.
    pub log_start: Offset,
    /// Everything below is committed.
    pub high_watermark: Offset,
    /// The offset of the next record.
    pub log_end: Offset,
}

/// A leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Led {
    /// Of which partition.
    pub partition: i32,
    /// In which leader epoch.
    pub epoch: LeaderEpoch,
    /// Whose.
    pub leader: NodeId,
}

/// A leader, and which life of its process, appended in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where to.
    pub partition: i32,
    /// The leader epoch that it led in.
    pub epoch: LeaderEpoch,
    /// Who, and in which life of its process.
    pub leader: (NodeId, u64),
}

/// A state of a partition that the controllers committed.
#[derive(Clone, Debug)]
pub struct Version {
    /// Of which partition.
    pub partition: i32,
    /// What was committed.
    pub state: PartitionImage,
}

/// A new leader, and how far its log reached then if its broker was up, beside all that was committed before.
#[derive(Clone, Debug)]
pub struct Election {
    /// Of which partition.
    pub partition: i32,
    /// Who was elected.
    pub leader: NodeId,
    /// How far its log reached, if its broker was up.
    pub log_end: Option<Offset>,
    /// Everything below was committed.
    pub committed: Offset,
}

/// A process of a broker with a replica that was in sync or eligible took the place of another one.
#[derive(Clone, Debug)]
pub struct Restart {
    /// Of which partition.
    pub partition: i32,
    /// Whose replica it is.
    pub broker: NodeId,
    /// Of the process before.
    pub former: BrokerEpoch,
    /// Whether the replica is eligible now, or in sync.
    pub is_eligible: bool,
    /// Whether it has to be, if it has all that was acknowledged: too few others are in sync.
    pub is_needed: bool,
}

/// A follower cut its log.
#[derive(Clone, Debug)]
pub struct Truncation {
    /// Of which partition.
    pub partition: i32,
    /// Who cut it.
    pub replica: NodeId,
    /// Whether it was in sync or eligible, as far as the controllers had committed.
    pub is_eligible: bool,
    /// What went, of the offsets that were committed then.
    pub committed: Vec<Dumped>,
}

/// A replica's log at the end, when all of them were in sync.
#[derive(Clone, Debug)]
pub struct Dump {
    /// Of which partition.
    pub partition: i32,
    /// Whose.
    pub replica: NodeId,
    /// Whether it leads: its log counts as the partition's.
    pub is_leader: bool,
    /// All of them, by offset.
    pub records: Vec<Dumped>,
}

/// One record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dumped {
    /// Its offset.
    pub offset: Offset,
    /// The leader epoch of its batch.
    pub epoch: LeaderEpoch,
    /// Of its batch.
    pub crc: u32,
    /// What it says.
    pub value: Value,
}

impl History {
    /// Everything below was committed in `partition`, as far as any leader has said.
    pub fn committed(&self, partition: i32) -> Offset {
        let of = self.watermarks.iter().filter(|w| w.partition == partition);
        of.map(|w| w.high_watermark).max().unwrap_or(Offset::ZERO)
    }

    /// The leaders' logs at the end.
    pub fn final_logs(&self) -> impl Iterator<Item = &Dump> {
        self.dumps.iter().filter(|dump| dump.is_leader)
    }
}
