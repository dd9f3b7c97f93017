//! What clients and replicas saw: facts only. What they must not be is in `rules`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ottla_metadata::image::PartitionImage;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset};

/// The value of a record: who wrote it, and its number there. Unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(pub(crate) u32, pub(crate) u64);

/// All of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) sends: Vec<Send>,
    pub(crate) reads: Vec<Read>,
    pub(crate) watermarks: Vec<Watermark>,
    pub(crate) appends: Vec<Append>,
    /// When leaders answered clients last.
    pub(crate) served: BTreeMap<Led, Duration>,
    /// When leaders lost their leadership because their broker was fenced.
    pub(crate) deposed: Vec<(Led, Duration)>,
    /// Which epochs fetches named that leaders answered.
    pub(crate) fetches: BTreeSet<(Led, LeaderEpoch)>,
    /// Brokers' epochs that their disks are sure to have.
    pub(crate) noted: BTreeSet<(NodeId, BrokerEpoch)>,
    pub(crate) restarts: Vec<Restart>,
    pub(crate) truncations: Vec<Truncation>,
    pub(crate) versions: Vec<Version>,
    pub(crate) elections: Vec<Election>,
    pub(crate) dumps: Vec<Dump>,
    /// What did not come about after all faults were healed.
    pub(crate) unmet: Vec<String>,
}

/// How a send ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged at this offset.
    Ok(Offset),
    /// Surely not appended.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// A record that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) partition: i32,
    pub(crate) value: Value,
    /// It is deduplicated, and sent again until it is acknowledged.
    pub(crate) idempotent: bool,
    /// acks=all.
    pub(crate) all: bool,
    pub(crate) invoked: Duration,
    pub(crate) ended: Duration,
    pub(crate) outcome: Outcome,
    /// A leader said that an acknowledged record before it is missing.
    pub(crate) out_of_order: bool,
}

/// A record that a consumer saw.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) partition: i32,
    pub(crate) offset: Offset,
    pub(crate) value: Value,
}

/// The ends of a leader's log.
#[derive(Clone, Debug)]
pub(crate) struct Watermark {
    pub(crate) partition: i32,
    pub(crate) leader: (NodeId, u64),
    pub(crate) epoch: LeaderEpoch,
    pub(crate) log_start: Offset,
    pub(crate) high_watermark: Offset,
    pub(crate) log_end: Offset,
}

/// A leadership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Led {
    pub(crate) partition: i32,
    pub(crate) epoch: LeaderEpoch,
    pub(crate) leader: NodeId,
}

/// A leader, and which life of its process, appended in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Append {
    pub(crate) partition: i32,
    pub(crate) epoch: LeaderEpoch,
    pub(crate) leader: (NodeId, u64),
}

/// A state of a partition that the controllers committed.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) partition: i32,
    pub(crate) state: PartitionImage,
}

/// A process of a broker with a replica that was in sync or eligible took the place of another one.
#[derive(Clone, Debug)]
pub(crate) struct Restart {
    pub(crate) partition: i32,
    pub(crate) broker: NodeId,
    /// Of the process before.
    pub(crate) former: BrokerEpoch,
    /// Whether the replica is eligible now, or in sync.
    pub(crate) is_eligible: bool,
    /// Whether it has to be, if it has all that was acknowledged: too few others are in sync.
    pub(crate) is_needed: bool,
}

/// A follower cut its log.
#[derive(Clone, Debug)]
pub(crate) struct Truncation {
    pub(crate) partition: i32,
    pub(crate) replica: NodeId,
    /// Whether it was in sync or eligible, as far as the controllers had committed.
    pub(crate) is_eligible: bool,
    /// What went, of the offsets that were committed then.
    pub(crate) committed: Vec<Dumped>,
}

/// A new leader, and how far its log reached then if its broker was up, beside all that was committed before.
#[derive(Clone, Debug)]
pub(crate) struct Election {
    pub(crate) partition: i32,
    pub(crate) leader: NodeId,
    pub(crate) log_end: Option<Offset>,
    pub(crate) committed: Offset,
}

/// A replica's log at the end, when all of them were in sync.
#[derive(Clone, Debug)]
pub(crate) struct Dump {
    pub(crate) partition: i32,
    pub(crate) replica: NodeId,
    pub(crate) is_leader: bool,
    pub(crate) records: Vec<Dumped>,
}

/// One record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dumped {
    pub(crate) offset: Offset,
    pub(crate) epoch: LeaderEpoch,
    /// Of its batch.
    pub(crate) crc: u32,
    pub(crate) value: Value,
}

impl History {
    /// Everything below was committed in `partition`, as far as any leader has said.
    pub(crate) fn committed(&self, partition: i32) -> Offset {
        let of = self.watermarks.iter().filter(|w| w.partition == partition);
        of.map(|w| w.high_watermark).max().unwrap_or(Offset::ZERO)
    }

    /// The leaders' logs at the end.
    pub(crate) fn final_logs(&self) -> impl Iterator<Item = &Dump> {
        self.dumps.iter().filter(|dump| dump.is_leader)
    }
}
