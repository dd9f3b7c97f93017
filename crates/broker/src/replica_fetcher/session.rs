//! One fetcher: what it follows of one leader's broker, on one connection.
//!
//! A fetch names a partition only once what it has is stored: where acknowledged means synced, the fetch offset tells the
//! leader what survives here. A partition with an error, or with a slow sync, is left out for a while; the others go on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_network::{ClientOptions, ConnectError, Connection, RequestError};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::fetch::{FetchResponse, PartitionData};
use ottla_types::{ByteString, LeaderEpoch, NodeId, Offset, PartitionIndex, TopicId, TopicPartition};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Followed;
use super::request::{self, FETCH_VERSION, Follower, LIST_OFFSETS_VERSION};
use crate::Broker;
use crate::replica_manager::{AckOutcome, FollowerPosition, NextFetch, Partition};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// The first pause after an error; doubles up to `replica.fetch.backoff.ms`.
const FIRST_BACKOFF: Duration = Duration::from_millis(20);
/// How long the others wait for a partition's sync.
const SYNCED_WITHIN: Duration = Duration::from_millis(50);
/// When to look again whether a throttled replica may fetch on.
const THROTTLED: Duration = Duration::from_millis(50);
/// A fetch that waits for data is given up for a new partition, but not more often.
const INTERRUPT_EVERY: Duration = Duration::from_millis(20);

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
enum SessionError {
    #[error(
        "broker {leader} is not in the metadata, or has no listener {listener}; check inter.broker.listener.name"
    )]
    NoEndpoint { leader: NodeId, listener: String },
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the leader answers {0:?}")]
    Refused(ErrorCode),
    #[error("a partition was added meanwhile")]
    Interrupted,
}

/// A partition that waits after an error.
#[derive(Clone, Copy, Debug)]
struct Paused {
    until: Instant,
    pause: Duration,
}

/// What one fetch asks for.
type Wanted = Vec<(Arc<Partition>, FollowerPosition)>;

pub(super) struct Session {
    broker: Arc<Broker>,
    leader: NodeId,
    client_id: ByteString,
    followed: Arc<Followed>,
    connection: Option<Connection>,
    paused: HashMap<TopicPartition, Paused>,
    syncing: HashMap<TopicPartition, oneshot::Receiver<AckOutcome>>,
    /// Whose turn it is to be named first: the leader fills its answer in the request's order.
    turn: usize,
    backoff: Duration,
    interrupted_at: Instant,
}

impl Session {
    pub(super) fn new(broker: Arc<Broker>, leader: NodeId, number: u64, followed: Arc<Followed>) -> Self {
        let client_id = ByteString::from(format!("broker-{}-fetcher-{number}", broker.node_id()));
        Self {
            broker,
            leader,
            client_id,
            followed,
            connection: None,
            paused: HashMap::new(),
            syncing: HashMap::new(),
            turn: 0,
            backoff: FIRST_BACKOFF,
            interrupted_at: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let wanted = self.wanted().await;
            if wanted.is_empty() {
                self.wait_for_work().await;
                continue;
            }
            match self.exchange(&wanted).await {
                Ok(response) => {
                    self.backoff = FIRST_BACKOFF;
                    self.take(&wanted, response).await;
                }
                // The answer to what was given up would hold up all further ones.
                Err(SessionError::Interrupted) => self.connection = None,
                Err(error) => {
                    tracing::debug!("cannot fetch from broker {}: {error}", self.leader);
                    self.lose_leader(&error);
                    self.connection = None;
                    let added = self.followed.added.notified();
                    let _ = tokio::time::timeout(self.backoff, added).await;
                    self.backoff = (self.backoff * 2).min(self.max_backoff());
                }
            }
        }
    }

    /// Silence alone is no reason to doubt the leader: the controller judges that.
    fn lose_leader(&self, error: &SessionError) {
        let is_gone = matches!(
            error,
            SessionError::Request(RequestError::Ended(_))
                | SessionError::Connect(ConnectError::Refused { .. })
        );
        if is_gone && let Some(leader) = self.broker.image().brokers.get(self.leader) {
            self.broker.lost_brokers().lose(leader.id, leader.epoch, self.broker.decided_by());
        }
    }

    fn max_backoff(&self) -> Duration {
        let ms = u64::try_from(self.broker.config().replication.fetch_backoff_ms).unwrap_or(0);
        Duration::from_millis(ms).max(FIRST_BACKOFF)
    }

    fn follower(&self) -> Follower {
        Follower { id: self.broker.node_id(), epoch: self.broker.registration().broker_epoch() }
    }

    /// The partitions to fetch now, once their syncs are through, or have taken too long.
    async fn wanted(&mut self) -> Wanted {
        let deadline = Instant::now() + SYNCED_WITHIN;
        loop {
            let wanted = self.look();
            if self.syncing.is_empty() || Instant::now() >= deadline {
                return wanted;
            }
            let mut failed = Vec::new();
            for (at, synced) in &mut self.syncing {
                if let Ok(ended) = tokio::time::timeout_at(deadline, &mut *synced).await
                    && ended != Ok(AckOutcome::Committed)
                {
                    failed.push(at.clone());
                }
            }
            // Those that ended must not be polled again.
            self.syncing.retain(|_, synced| !synced.is_terminated());
            failed.iter().for_each(|at| self.pause(at));
        }
    }

    /// Those that can be fetched at once; notes those that are being synced.
    fn look(&mut self) -> Wanted {
        let (now, mut all) = (Instant::now(), self.followed.all());
        if all.is_empty() {
            self.paused.clear();
            self.syncing.clear();
            return Vec::new();
        }
        let turn = self.turn % all.len();
        all.rotate_left(turn);
        let mut wanted = Vec::with_capacity(all.len());
        for partition in all {
            let at = &partition.id().topic_partition;
            if self.paused.get(at).is_some_and(|paused| paused.until > now) || self.is_syncing(at) {
                continue;
            }
            match partition.next_fetch() {
                Ok(NextFetch::From(position)) => wanted.push((partition, position)),
                Ok(NextFetch::AfterSync(synced)) => {
                    self.syncing.insert(at.clone(), synced);
                }
                Ok(NextFetch::Later) => {
                    self.paused.insert(at.clone(), Paused { until: now + THROTTLED, pause: FIRST_BACKOFF });
                }
                Err(error) => {
                    tracing::debug!("{at}: {error}");
                    self.pause(at);
                }
            }
        }
        wanted
    }

    fn is_syncing(&mut self, at: &TopicPartition) -> bool {
        use oneshot::error::TryRecvError;
        let Some(synced) = self.syncing.get_mut(at) else { return false };
        let ended = synced.try_recv();
        if ended == Err(TryRecvError::Empty) {
            return true;
        }
        self.syncing.remove(at);
        if ended != Ok(AckOutcome::Committed) {
            self.pause(at);
        }
        ended != Ok(AckOutcome::Committed)
    }

    fn pause(&mut self, at: &TopicPartition) {
        let former = self.paused.get(at).map(|paused| paused.pause);
        let pause = former.map_or(FIRST_BACKOFF, |pause| pause * 2).min(self.max_backoff());
        self.paused.insert(at.clone(), Paused { until: Instant::now() + pause, pause });
    }

    /// How long nothing changes by itself; `None` if that is for ever.
    fn next_change(&self) -> Option<Duration> {
        let now = Instant::now();
        let ahead = self.paused.values().map(|paused| paused.until).filter(|until| *until > now);
        let next = ahead.min().map(|until| until - now);
        if self.syncing.is_empty() { next } else { Some(next.unwrap_or(SYNCED_WITHIN).min(SYNCED_WITHIN)) }
    }

    async fn wait_for_work(&mut self) {
        let followed = Arc::clone(&self.followed);
        match self.next_change() {
            Some(wait) => {
                let _ = tokio::time::timeout(wait, followed.added.notified()).await;
            }
            None => {
                self.connection = None;
                followed.added.notified().await;
            }
        }
    }

    async fn exchange(&mut self, wanted: &Wanted) -> Result<FetchResponse, SessionError> {
        let config = self.broker.config();
        let longest = Duration::from_millis(u64::try_from(config.replication.fetch_wait_max_ms).unwrap_or(0));
        let max_wait = self.next_change().map_or(longest, |next| next.min(longest));
        let request = request::fetch(
            self.broker.cluster_id(),
            self.follower(),
            &config,
            i32::try_from(max_wait.as_millis()).unwrap_or(i32::MAX),
            wanted.iter().map(|(partition, position)| {
                let id = partition.id();
                (id.topic_id, id.topic_partition.partition.0, *position)
            }),
        );
        let limit = Duration::from_millis(u64::try_from(config.replication.socket_timeout_ms).unwrap_or(0));
        let connection = self.connection().await?;
        let followed = Arc::clone(&self.followed);
        let interrupt = async {
            followed.added.notified().await;
            tokio::time::sleep_until(self.interrupted_at + INTERRUPT_EVERY).await;
        };
        let response = tokio::select! {
            biased;
            response = connection.request_up_to(&request, FETCH_VERSION, max_wait + limit) => response?,
            () = interrupt => {
                self.interrupted_at = Instant::now();
                return Err(SessionError::Interrupted);
            }
        };
        match response.error_code {
            ErrorCode::NONE => Ok(response),
            error => Err(SessionError::Refused(error)),
        }
    }

    async fn connection(&mut self) -> Result<Connection, SessionError> {
        if let Some(connection) = self.connection.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let listener = self.broker.config().listeners.inter_broker_name.clone();
        let image = self.broker.image();
        let no_endpoint = || SessionError::NoEndpoint { leader: self.leader, listener: listener.clone() };
        let leader = image.brokers.get(self.leader).ok_or_else(no_endpoint)?;
        let endpoint = leader.endpoint(&listener).ok_or_else(no_endpoint)?;
        let options = ClientOptions { client_id: Some(self.client_id.clone()), ..ClientOptions::default() };
        let address = format!("{}:{}", endpoint.host, endpoint.port);
        let connection = Connection::connect(&address, CONNECT_WITHIN, options).await?;
        self.broker.lost_brokers().watch(leader.id, leader.epoch, connection.liveness());
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    async fn take(&mut self, wanted: &Wanted, response: FetchResponse) {
        self.turn = self.turn.wrapping_add(1);
        let mut answers: HashMap<(TopicId, PartitionIndex), PartitionData> = HashMap::new();
        for topic in response.responses {
            for data in topic.partitions {
                answers.insert((topic.topic_id, PartitionIndex(data.partition_index)), data);
            }
        }
        let mut out_of_range = Vec::new();
        for (partition, position) in wanted {
            let id = partition.id();
            let at = &id.topic_partition;
            let Some(data) = answers.remove(&(id.topic_id, at.partition)) else { continue };
            let taken = match data.error_code {
                ErrorCode::NONE => take_data(partition, position, &data).await,
                ErrorCode::OFFSET_OUT_OF_RANGE => {
                    out_of_range.push((Arc::clone(partition), position.leader_epoch));
                    continue;
                }
                error => Err(format!("the leader answers {error:?}")),
            };
            match taken {
                Ok(()) => {
                    self.paused.remove(at);
                }
                Err(reason) => {
                    tracing::debug!("{at}: nothing fetched from broker {}: {reason}", self.leader);
                    self.pause(at);
                }
            }
        }
        if !out_of_range.is_empty() {
            self.start_anew(out_of_range).await;
        }
    }

    /// What the leader does not have any more, or never had, is of no use: copies begin where its logs do.
    async fn start_anew(&mut self, partitions: Vec<(Arc<Partition>, LeaderEpoch)>) {
        let named: Vec<_> =
            partitions.iter().map(|(p, epoch)| (p.id().topic_partition.clone(), *epoch)).collect();
        let request = request::log_starts(self.follower(), &named);
        let answered = match self.connection().await {
            Ok(connection) => {
                let sent = connection.request_up_to(&request, LIST_OFFSETS_VERSION, CONNECT_WITHIN);
                sent.await.map_err(Into::into)
            }
            Err(error) => Err(error),
        };
        let mut starts: HashMap<TopicPartition, Offset> = HashMap::new();
        match answered {
            Ok(response) => {
                for topic in response.topics {
                    for found in topic.partitions.iter().filter(|p| p.error_code == ErrorCode::NONE) {
                        let at = TopicPartition::new(&*topic.name, found.partition_index);
                        starts.insert(at, Offset(found.offset));
                    }
                }
            }
            Err(error) => tracing::debug!("cannot ask broker {} for its logs' starts: {error}", self.leader),
        }
        for (partition, epoch) in partitions {
            let at = partition.id().topic_partition.clone();
            let started = match starts.get(&at).copied() {
                Some(start) => blocking(move || partition.start_anew(epoch, start)).await,
                None => Err("the leader does not tell where its log starts".to_owned()),
            };
            if let Err(reason) = started {
                tracing::warn!("{at} cannot start anew: {reason}");
                self.pause(&at);
            }
        }
    }
}

async fn take_data(
    partition: &Arc<Partition>,
    position: &FollowerPosition,
    data: &PartitionData,
) -> Result<(), String> {
    let epoch = position.leader_epoch;
    if let Some(leaders) = request::diverging(data) {
        let partition = Arc::clone(partition);
        return match blocking(move || partition.truncate(epoch, leaders)).await? {
            true => Ok(()),
            false => Err("its history is another one, but there is nothing to cut off".to_owned()),
        };
    }
    let (high_watermark, log_start) = (Offset(data.high_watermark), Offset(data.log_start_offset));
    partition
        .append_fetched(epoch, &request::records(data), high_watermark, log_start)
        .map_err(|error| error.to_string())
}

/// Runs what waits for the disk where it holds up nobody.
async fn blocking<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("a fault of the broker ended it; report it".to_owned()),
    }
}
