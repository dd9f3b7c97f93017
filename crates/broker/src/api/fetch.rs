//! Fetch: reads from the partitions of a session, and waits until there is enough.
//!
//! Consumers read below the high watermark (read_committed: below the last stable offset), followers up to the log end.
//! The first batch is returned even if it is larger than every limit (KIP-74). The wait ends with `min_bytes`, an
//! error, or `max_wait_ms`; a fetch registers with its partitions before it reads, so no wake-up is lost. Up to
//! version 12 topics are named, from 13 on their ids are sent (KIP-516). From 7 on requests and answers of a session hold
//! only what changed (KIP-227). From 12 on a diverging epoch tells a reader to truncate (KIP-595), and
//! NOT_LEADER_OR_FOLLOWER says who leads (KIP-951, endpoints from 16 on). From 11 on followers may be read from, and the
//! leader refers a consumer to the one in its rack (KIP-392).
//!
//! Errors, for the whole: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR. Per
//! partition: OFFSET_OUT_OF_RANGE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER,
//! FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, UNSUPPORTED_COMPRESSION_TYPE for zstd topics below version 10,
//! KAFKA_STORAGE_ERROR.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ottla_metadata::MetadataImage;
use ottla_network::{AsFile, FileRange, ReplySegment};
use ottla_protocol::messages::fetch::{
    AbortedTransaction, EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse,
    LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use ottla_protocol::{ErrorCode, FetchedRecords, Request};
use ottla_server::{Answer, RequestContext};
use ottla_storage::RecordsSlice;
use ottla_types::{BrokerEpoch, ByteString, Detach, LeaderEpoch, NodeId, Offset, PartitionIndex, TopicName};
use tokio::time::Instant;

use super::near::Near;
use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::fetch_session::{Answered, FetchContext, FetchPartition, FetchSessionError, PartitionKey};
use crate::replica_manager::{
    Isolation, ParkedFetch, Partition, PartitionError, PartitionRead, ReadRequest, Reader, WaiterGuard,
};

const TOPIC_IDS_FROM: i16 = 13;
const ZSTD_FROM: i16 = 10;
/// The first version in which a follower tells its broker epoch (KIP-903).
const REPLICA_STATE_FROM: i16 = 15;
/// The first version that tells the consumer's rack, and with that may read from followers (KIP-392).
const RACK_FROM: i16 = 11;
/// The first versions whose answers say who leads, and where.
const LEADERS_FROM: i16 = 12;
const ENDPOINTS_FROM: i16 = 16;
const READ_COMMITTED: i8 = 1;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: FetchRequest,
) -> Answer<FetchResponse> {
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let deadline = Instant::now() + wait;
    let limits = Limits::of(broker, cx, &request);
    let context = match open_session(broker, cx, &request) {
        Ok(context) => context,
        Err(error) => {
            return Answer::Response(request.error_response(cx.version, error.to_error_code()));
        }
    };
    broker.opened(broker.unopened(named(broker, cx, &context))).await;
    let targets: Vec<Target> =
        context.partitions.iter().map(|wanted| Target::resolve(broker, cx, wanted.clone())).collect();
    let reads = read_enough(&targets, &limits, deadline, wait).await;
    respond(broker, cx, &limits, &context, targets, reads)
}

fn named<'a>(
    broker: &'a Broker,
    cx: &RequestContext,
    context: &'a FetchContext,
) -> impl Iterator<Item = (TopicName, PartitionIndex)> + 'a {
    let by_id = cx.version >= TOPIC_IDS_FROM;
    context.partitions.iter().filter_map(move |FetchPartition { key, .. }| {
        let name = if by_id { broker.topic_name(key.topic_id) } else { Some(key.topic.clone()) };
        Some((name?, key.partition))
    })
}

struct Limits {
    reader: Reader,
    isolation: Isolation,
    min_bytes: usize,
    max_bytes: usize,
    near: Option<Near>,
}

impl Limits {
    fn of(broker: &Broker, cx: &RequestContext, request: &FetchRequest) -> Self {
        let (replica_id, epoch) = if cx.version >= REPLICA_STATE_FROM {
            (request.replica_state.replica_id, BrokerEpoch(request.replica_state.replica_epoch))
        } else {
            (request.replica_id, BrokerEpoch::NONE)
        };
        let follower = replica_id >= 0;
        let reader = match follower {
            true => Reader::Follower { id: NodeId(replica_id), epoch: Some(epoch).filter(|e| e.is_some()) },
            false => Reader::Consumer { reads_from_followers: cx.version >= RACK_FROM },
        };
        let isolation = match (follower, request.isolation_level) {
            (true, _) => Isolation::LogEnd,
            (false, READ_COMMITTED) => Isolation::LastStableOffset,
            (false, _) => Isolation::HighWatermark,
        };
        Self {
            reader,
            isolation,
            min_bytes: usize::try_from(request.min_bytes).unwrap_or(0),
            max_bytes: usize::try_from(request.max_bytes)
                .unwrap_or(0)
                .min(usize::try_from(broker.config().replication.fetch_max_bytes).unwrap_or(0)),
            near: if follower { None } else { Near::of(broker, cx, request) },
        }
    }
}

/// A partition to read, or why it cannot be.
struct Target {
    wanted: FetchPartition,
    name: Option<TopicName>,
    partition: Result<Arc<Partition>, ErrorCode>,
}

impl Target {
    fn resolve(broker: &Broker, cx: &RequestContext, wanted: FetchPartition) -> Self {
        let by_id = cx.version >= TOPIC_IDS_FROM;
        let name =
            if by_id { broker.topic_name(wanted.key.topic_id) } else { Some(wanted.key.topic.clone()) };
        let partition = match &name {
            None => Err(ErrorCode::UNKNOWN_TOPIC_ID),
            Some(name) => find(broker, by_id, name, &wanted.key)
                .map_err(|error| error.to_error_code())
                .and_then(|partition| match cx.version < ZSTD_FROM && partition.is_zstd() {
                    true => Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE),
                    false => Ok(partition),
                }),
        };
        Self { wanted, name, partition }
    }

    /// Reads it, where the other partitions of the fetch have given so many bytes.
    fn read(&self, limits: &Limits, others: usize) -> Result<PartitionRead, ErrorCode> {
        let partition = self.partition.as_ref().map_err(|error| *error)?;
        let request = self.request(limits, others);
        let nearer = limits
            .near
            .as_ref()
            .and_then(|near| partition.preferred_read_replica(request.from, |id| near.has(id)));
        let read = match nearer {
            Some(replica) => partition.refer_to(replica, &request),
            None => partition.read(&request),
        };
        read.map_err(|error: PartitionError| error.to_error_code())
    }

    /// How much it could read; `None` if only reading tells.
    fn readable(&self, limits: &Limits) -> Option<usize> {
        self.partition.as_ref().ok()?.readable(&self.request(limits, 0))
    }

    fn request(&self, limits: &Limits, others: usize) -> ReadRequest {
        let room = limits.max_bytes.saturating_sub(others);
        ReadRequest {
            reader: limits.reader,
            isolation: limits.isolation,
            from: self.wanted.fetch_offset,
            max_bytes: usize::try_from(self.wanted.max_bytes).unwrap_or(0).min(room),
            at_least_one_batch: others == 0,
            current_leader_epoch: self.wanted.current_leader_epoch,
            last_fetched_epoch: self.wanted.last_fetched_epoch,
            log_start: self.wanted.log_start_offset,
        }
    }
}

fn find(
    broker: &Broker,
    by_id: bool,
    name: &TopicName,
    key: &PartitionKey,
) -> Result<Arc<Partition>, PartitionError> {
    if by_id {
        broker.partition_by_id(name.as_str(), key.topic_id, key.partition)
    } else {
        broker.partition(name.as_str(), key.partition)
    }
}

type Reads = Vec<Result<PartitionRead, ErrorCode>>;

async fn read_enough(targets: &[Target], limits: &Limits, deadline: Instant, wait: Duration) -> Reads {
    let mut parked = Parked::read(targets, limits);
    if parked.is_ready() || wait.is_zero() || targets.is_empty() {
        return parked.reads;
    }
    let fetch = Arc::new(ParkedFetch::default());
    let _registered: Vec<WaiterGuard> = targets
        .iter()
        .enumerate()
        .filter_map(|(place, target)| Some((place, target.partition.as_ref().ok()?)))
        .map(|(place, partition)| Partition::register_fetch(partition, &fetch, place, limits.reader))
        .collect();
    // What came between reading and registering woke nobody.
    let mut moved: BTreeSet<usize> = (0..targets.len()).collect();
    loop {
        if parked.may_be_ready(moved) && parked.read_moved() {
            return parked.reads;
        }
        moved = match tokio::time::timeout_at(deadline, fetch.moved()).await {
            Ok(moved) => moved,
            Err(_) => {
                parked.moved.append(&mut fetch.take_moved());
                parked.read_moved();
                return parked.reads;
            }
        };
    }
}

/// A fetch that waits for more. What it has read stays; a partition that moves is measured, and read again once all together may
/// be enough.
struct Parked<'a> {
    targets: &'a [Target],
    limits: &'a Limits,
    reads: Reads,
    /// What each partition has to give, bytes: as read, or as measured since.
    sizes: Vec<usize>,
    /// Which have moved since they were read.
    moved: BTreeSet<usize>,
}

impl<'a> Parked<'a> {
    /// Reads every partition once.
    fn read(targets: &'a [Target], limits: &'a Limits) -> Self {
        let (mut reads, mut sizes) = (Vec::with_capacity(targets.len()), Vec::with_capacity(targets.len()));
        let mut all = 0;
        for target in targets {
            let read = target.read(limits, all);
            sizes.push(bytes_of(&read));
            all += bytes_of(&read);
            reads.push(read);
        }
        Self { targets, limits, reads, sizes, moved: BTreeSet::new() }
    }

    /// Whether what was read is ready to leave.
    fn is_ready(&self) -> bool {
        let at_once = |read: &Result<PartitionRead, ErrorCode>| {
            let must_leave =
                |read: &PartitionRead| read.diverging.is_some() || read.preferred_read_replica.is_some();
            read.as_ref().map_or(true, must_leave)
        };
        self.sizes.iter().sum::<usize>() >= self.limits.min_bytes || self.reads.iter().any(at_once)
    }

    /// Whether it is worth reading again, now that those have moved.
    fn may_be_ready(&mut self, mut moved: BTreeSet<usize>) -> bool {
        let mut is_unknown = false;
        for &place in &moved {
            match self.targets[place].readable(self.limits) {
                Some(size) => self.sizes[place] = size,
                None => is_unknown = true,
            }
        }
        self.moved.append(&mut moved);
        is_unknown || self.sizes.iter().sum::<usize>() >= self.limits.min_bytes
    }

    /// Reads those again that have moved, and tells whether the answer is ready to leave.
    fn read_moved(&mut self) -> bool {
        let mut all: usize = self.reads.iter().map(bytes_of).sum();
        for place in std::mem::take(&mut self.moved) {
            all -= bytes_of(&self.reads[place]);
            self.reads[place] = self.targets[place].read(self.limits, all);
            self.sizes[place] = bytes_of(&self.reads[place]);
            all += self.sizes[place];
        }
        self.is_ready()
    }
}

fn bytes_of(read: &Result<PartitionRead, ErrorCode>) -> usize {
    read.as_ref().map_or(0, |read| read.bytes)
}

fn open_session(
    broker: &Broker,
    cx: &RequestContext,
    request: &FetchRequest,
) -> Result<FetchContext, FetchSessionError> {
    let key = |topic: &TopicName, topic_id, partition| PartitionKey {
        topic_id,
        topic: topic.clone(),
        partition: PartitionIndex(partition),
    };
    let image = broker.image();
    let wanted = request.topics.iter().flat_map(|topic| {
        let name = name_to_keep(&image, &topic.topic);
        topic.partitions.iter().map(move |partition| FetchPartition {
            key: key(&name, topic.topic_id, partition.partition),
            fetch_offset: Offset(partition.fetch_offset),
            max_bytes: partition.partition_max_bytes,
            current_leader_epoch: LeaderEpoch(partition.current_leader_epoch),
            last_fetched_epoch: LeaderEpoch(partition.last_fetched_epoch),
            log_start_offset: Offset(partition.log_start_offset),
        })
    });
    let forgotten: Vec<PartitionKey> = request
        .forgotten_topics_data
        .iter()
        .flat_map(|topic| {
            let name = TopicName::from(topic.topic.clone());
            topic.partitions.iter().map(move |&partition| key(&name, topic.topic_id, partition))
        })
        .collect();
    broker.fetch_sessions().context(
        broker.clock().now(),
        request.session_id,
        request.session_epoch,
        cx.version >= TOPIC_IDS_FROM,
        wanted.collect(),
        &forgotten,
    )
}

/// Sessions outlive requests: a name is shared with the metadata, or copied.
fn name_to_keep(image: &MetadataImage, name: &ByteString) -> TopicName {
    match image.topics.by_name(name) {
        Some(topic) => topic.name.clone(),
        None => TopicName::from(name.clone()).detach(),
    }
}

fn respond(
    broker: &Broker,
    cx: &RequestContext,
    limits: &Limits,
    context: &FetchContext,
    targets: Vec<Target>,
    reads: Reads,
) -> Answer<FetchResponse> {
    // What was read for a consumer may no longer leave: the wait for more may have outlasted the lease.
    let is_too_late = matches!(limits.reader, Reader::Consumer { .. }) && !broker.has_lease();
    let mut hints = super::LeaderHints::default();
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    let mut records = Vec::new();
    for (target, read) in targets.into_iter().zip(reads) {
        let key = &target.wanted.key;
        let read = match read {
            Ok(read) if is_too_late && read.is_of_leader => Err(PartitionError::LeaseRanOut.to_error_code()),
            read => read,
        };
        let bytes = read.as_ref().map_or(0, |read| read.bytes);
        let (answered, mut data, slices) = partition_data(key.partition, read);
        if !context.includes(key, answered) {
            continue;
        }
        if let Ok(partition) = &target.partition {
            count(partition, &data);
            match limits.reader {
                Reader::Consumer { .. } => partition.counts().bytes_out.add(bytes as u64),
                Reader::Follower { .. } => partition.count_sent(bytes),
            }
        }
        if cx.version >= LEADERS_FROM
            && let Some(name) = &target.name
            && let Some((leader_id, leader_epoch)) =
                hints.find(broker, cx, data.error_code, name.as_str(), key.topic_id, key.partition.0)
        {
            data.current_leader = LeaderIdAndEpoch { leader_id, leader_epoch, ..Default::default() };
        }
        data.records = Some(match slices.as_slice() {
            [] => FetchedRecords::default(),
            _ => FetchedRecords::External { index: records.len(), len: bytes },
        });
        if !slices.is_empty() {
            records.push(slices.into_iter().map(segment).collect());
        }
        match topics.last_mut() {
            Some(topic) if topic.topic == key.topic.as_str() && topic.topic_id == key.topic_id => {
                topic.partitions.push(data);
            }
            _ => topics.push(FetchableTopicResponse {
                topic: key.topic.clone().into(),
                topic_id: key.topic_id,
                partitions: vec![data],
                ..Default::default()
            }),
        }
    }
    let image = broker.image();
    let node_endpoints = hints.endpoints(&image, cx).map(|(node_id, host, port, rack)| NodeEndpoint {
        node_id,
        host,
        port,
        rack,
        ..Default::default()
    });
    let response = FetchResponse {
        session_id: context.session_id,
        responses: topics,
        node_endpoints: if cx.version >= ENDPOINTS_FROM { node_endpoints.collect() } else { Vec::new() },
        ..Default::default()
    };
    Answer::Spliced { response, records }
}

fn count(partition: &Partition, data: &PartitionData) {
    let counts = partition.counts();
    counts.fetch_requests.inc();
    if data.error_code != ErrorCode::NONE {
        counts.failed_fetch_requests.inc();
    }
}

fn partition_data(
    index: PartitionIndex,
    read: Result<PartitionRead, ErrorCode>,
) -> (Answered, PartitionData, Vec<RecordsSlice>) {
    let mut data = PartitionData { partition_index: index.0, ..Default::default() };
    let read = match read {
        Ok(read) => read,
        Err(error_code) => {
            data.error_code = error_code;
            data.high_watermark = -1;
            let answered =
                Answered { high_watermark: -1, log_start_offset: -1, has_records: false, must_send: true };
            return (answered, data, Vec::new());
        }
    };
    data.high_watermark = read.high_watermark.0;
    data.last_stable_offset = read.last_stable_offset.0;
    data.log_start_offset = read.log_start_offset.0;
    data.aborted_transactions = read.read_committed.then(Vec::<AbortedTransaction>::new);
    if let Some((epoch, end)) = read.diverging {
        data.diverging_epoch = EpochEndOffset { epoch: epoch.0, end_offset: end.0, ..Default::default() };
    }
    if let Some(replica) = read.preferred_read_replica {
        data.preferred_read_replica = replica.0;
    }
    let answered = Answered {
        high_watermark: read.high_watermark.0,
        log_start_offset: read.log_start_offset.0,
        has_records: read.bytes > 0,
        must_send: read.diverging.is_some() || read.preferred_read_replica.is_some(),
    };
    (answered, data, read.slices)
}

/// A slice of a log as a part of the reply: files are sent by the kernel.
fn segment(slice: RecordsSlice) -> ReplySegment {
    match slice {
        RecordsSlice::Memory(bytes) => ReplySegment::Bytes(bytes),
        RecordsSlice::File { file, position, len } => {
            ReplySegment::File(FileRange { file: Arc::new(LogFile(file)), position, len })
        }
    }
}

struct LogFile(Arc<dyn ottla_env::File>);

impl AsFile for LogFile {
    fn as_std(&self) -> Option<&std::fs::File> {
        self.0.as_std()
    }

    fn read_at(&self, buf: &mut [u8], position: u64) -> std::io::Result<usize> {
        self.0.read_at(buf, position)
    }
}
