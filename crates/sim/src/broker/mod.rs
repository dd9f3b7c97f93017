//! A broker: the thin shell around the partitions that brokers run. It stands for the broker's threads, tasks and
//! connections; each file names the one whose place it takes.

mod feed;
mod fetcher;
mod isr;
mod lifecycle;
mod serve;
mod sync;

pub(crate) use self::feed::{MAX_WAIT as FEED_MAX_WAIT, MIN_INSYNC_REPLICAS};
pub(crate) use self::lifecycle::SESSION;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ottla_broker::{Acknowledgement, BarePartition, BarePosition, previous_epoch};
use ottla_env::Rng;
use ottla_metadata::{MetadataFollower, MetadataImage};
use ottla_replication::{AlterIsr, LeaderLease};
use ottla_simdisk::SimDisk;
use ottla_storage::{FlushOutcome, LogConfig, LogDir, LogDirOptions};
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset, Uuid};

use crate::cx::{Cx, Timer};
use crate::message::{Address, Body, Message, Response};

/// `replica.lag.time.max.ms`: shorter than usual, so that runs see it pass.
pub(super) const LAG_MAX: Duration = Duration::from_millis(1500);
pub(super) const RETRY: Duration = Duration::from_millis(50);
pub(crate) const CLUSTER: &str = "cluster";

/// A broker, running or not.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) id: i32,
    pub(crate) disk: SimDisk,
    pub(crate) running: Option<Running>,
    /// Until then it acts on no metadata, whatever comes.
    pub(crate) metadata_held_until: Duration,
    controllers: i32,
}

/// A broker's process.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) dir: LogDir,
    config: Arc<LogConfig>,
    incarnation: Uuid,
    /// Of the process before, as the directory says.
    previous_epoch: BrokerEpoch,
    /// The one before its registration is [`BrokerEpoch::NONE`].
    epoch: BrokerEpoch,
    fenced: bool,
    lease: Arc<LeaderLease>,
    /// Whether the lease lasted when it was last looked at.
    lease_lasted: bool,
    /// Why a partition of it does not open, which takes a restart.
    pub(crate) broken: Option<String>,
    follower: MetadataFollower,
    /// What it has acted on.
    pub(crate) image: MetadataImage,
    /// Which controller it believes to be active.
    controller: i32,
    pub(crate) partitions: BTreeMap<i32, Hosted>,
    calls: BTreeMap<u64, Call>,
}

/// A partition on a broker, and what waits for it.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) bare: BarePartition,
    following: Option<NodeId>,
    /// The fetch that is under way, or whose turn will come.
    fetching: Option<u64>,
    synced: Option<Acknowledgement>,
    producers: Vec<(Acknowledgement, (Address, u64), Offset)>,
    parked: Vec<Parked>,
    sync_due: Option<bool>,
    syncing: Option<Syncing>,
    /// High watermark, end, leader epoch, when they were last looked at.
    seen: (Offset, Offset, LeaderEpoch),
}

#[derive(Debug)]
enum Syncing {
    Begun(ottla_broker::BareSync),
    Done((FlushOutcome, u64)),
}

/// A follower's fetch for which there was nothing.
#[derive(Clone, Debug)]
struct Parked {
    caller: (Address, u64),
    id: NodeId,
    epoch: BrokerEpoch,
    position: BarePosition,
    high_watermark: Offset,
}

/// What a broker has asked for.
#[derive(Clone, Debug)]
enum Call {
    Register,
    Heartbeat { sent: Duration },
    Feed,
    Fetch { partition: i32, epoch: LeaderEpoch },
    LogStart { partition: i32, epoch: LeaderEpoch },
    Isr { partition: i32, epoch: LeaderEpoch, change: AlterIsr },
}

impl Broker {
    /// Not running, with an empty disk.
    pub(crate) fn new(id: i32, controllers: i32, disk_seed: u64) -> Self {
        Self {
            id,
            disk: SimDisk::new(disk_seed),
            running: None,
            metadata_held_until: Duration::ZERO,
            controllers,
        }
    }

    pub(crate) fn address(&self) -> Address {
        Address::Broker(self.id)
    }

    /// The process starts: it finds its logs, and registers. False if its disk failed meanwhile.
    pub(crate) fn start(&mut self, cx: &mut Cx) -> bool {
        let options = LogDirOptions {
            new_directory_id: Uuid([self.id as u8; 16]),
            ..LogDirOptions::new(CLUSTER, NodeId(self.id))
        };
        let (dir, report) = match LogDir::open(Arc::new(self.disk.clone()), Path::new("/data"), &options) {
            Ok(opened) => opened,
            Err(error) => {
                cx.note(format_args!("broker {} cannot open its directory: {error}", self.id));
                return false;
            }
        };
        let config = LogConfig {
            segment_bytes: 4000,
            index_interval_bytes: 300,
            snapshot_interval_bytes: 2500,
            tail_cache_bytes: 1000,
            preallocate: false,
            ..LogConfig::default()
        };
        let incarnation = Uuid(cx.rng.bytes16());
        cx.incarnations.insert(NodeId(self.id), incarnation);
        self.running = Some(Running {
            dir,
            config: Arc::new(config),
            incarnation,
            previous_epoch: previous_epoch(std::iter::once(&report)),
            epoch: BrokerEpoch::NONE,
            fenced: true,
            lease: Arc::default(),
            lease_lasted: false,
            broken: None,
            follower: MetadataFollower::new(),
            image: MetadataImage::empty(),
            controller: 1 + cx.rng.below(self.controllers as u64) as i32,
            partitions: BTreeMap::new(),
            calls: BTreeMap::new(),
        });
        cx.note(format_args!("broker {} starts", self.id));
        self.register(cx);
        true
    }

    pub(crate) fn handle_message(&mut self, cx: &mut Cx, from: Address, message: Message) {
        match message.body {
            Body::Request(request) => self.serve(cx, (from, message.call), request),
            Body::Response(response) => self.take(cx, message.call, response),
        }
    }

    fn take(&mut self, cx: &mut Cx, call: u64, response: Response) {
        let Some(running) = &mut self.running else { return };
        let Some(known) = running.calls.remove(&call) else { return };
        if let Response::NotController(leader) = &response {
            running.controller = leader.unwrap_or(running.controller % self.controllers + 1);
        }
        match (known, response) {
            (Call::Register, response) => self.registered(cx, response),
            (Call::Heartbeat { sent }, response) => self.heartbeat_answered(cx, sent, response),
            (Call::Feed, response) => self.metadata_came(cx, response),
            (Call::Fetch { partition, epoch }, response) => {
                self.fetched(cx, call, partition, epoch, response)
            }
            (Call::LogStart { partition, epoch }, response) => {
                self.start_anew(cx, partition, epoch, response)
            }
            (Call::Isr { partition, epoch, change }, response) => {
                self.isr_answered(cx, partition, epoch, &change, response);
            }
        }
    }

    pub(crate) fn handle_timer(&mut self, cx: &mut Cx, timer: Timer) {
        match timer {
            Timer::Timeout(call) => self.timed_out(cx, call),
            Timer::Register => self.register(cx),
            Timer::Heartbeat => self.heartbeat(cx),
            Timer::Lease => self.watch_lease(cx),
            Timer::Feed => self.feed(cx),
            Timer::Fetch { partition } => self.fetch(cx, partition),
            Timer::IsrRound => self.isr_round(cx),
            Timer::Isr { partition } => self.ask_isr(cx, partition),
            Timer::BeginSync { partition, at_once } => self.begin_sync(cx, partition, at_once),
            Timer::EndSync { partition } => self.end_sync(partition),
            Timer::Unpark { call } => self.unpark(cx, call),
            Timer::Checkpoints => self.write_checkpoints(cx),
            Timer::Sessions { .. } | Timer::Rebalance { .. } | Timer::Next => {}
        }
    }

    fn timed_out(&mut self, cx: &mut Cx, call: u64) {
        let me = self.address();
        let Some(running) = &mut self.running else { return };
        let Some(known) = running.calls.remove(&call) else { return };
        if matches!(known, Call::Register | Call::Heartbeat { .. } | Call::Feed | Call::Isr { .. }) {
            running.controller = running.controller % self.controllers + 1;
        }
        match known {
            Call::Register => self.register(cx),
            // Another controller may be there: the lease does not wait.
            Call::Heartbeat { .. } => cx.remind(me, RETRY, Timer::Heartbeat),
            Call::Feed => self.feed(cx),
            Call::Fetch { partition, .. } | Call::LogStart { partition, .. } => {
                if let Some(hosted) = running.partitions.get_mut(&partition)
                    && hosted.fetching == Some(call)
                {
                    hosted.fetching = None;
                    cx.remind(me, RETRY, Timer::Fetch { partition });
                }
            }
            Call::Isr { partition, .. } => cx.remind(me, RETRY, Timer::Isr { partition }),
        }
    }

    /// After whatever happened: answers who waits, queues syncs, notes what is committed now.
    pub(crate) fn settle(&mut self, cx: &mut Cx) {
        let Some(running) = &self.running else { return };
        for partition in running.partitions.keys().copied().collect::<Vec<_>>() {
            self.schedule_sync(cx, partition);
            self.note_progress(cx, partition);
            self.answer_producers(cx, partition);
            self.answer_parked(cx, partition);
            self.fetch_once_synced(cx, partition);
            let hosted = self.hosted(partition);
            if hosted.is_some_and(|hosted| hosted.bare.take_noted()) {
                self.ask_isr(cx, partition);
            }
        }
    }

    fn hosted(&mut self, partition: i32) -> Option<&mut Hosted> {
        self.running.as_mut()?.partitions.get_mut(&partition)
    }
}
