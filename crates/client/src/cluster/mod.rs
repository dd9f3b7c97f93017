//! Connections to a cluster's brokers, and what is known about it.

mod coordinator;
mod group_offsets;
mod list_offsets;
mod metadata;
mod retry;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use ottla_types::{ByteString, GroupId, NodeId, TopicName, TopicPartition};
use tokio::time::Instant;

pub use list_offsets::{IsolationLevel, ListedOffset, OffsetSpec};
pub use metadata::{BrokerInfo, PartitionInfo, TopicInfo};

pub(crate) use group_offsets::{Membership, commit, fetch_committed, must_rejoin};
pub(crate) use metadata::Metadata;
pub(crate) use retry::Retry;

use crate::backoff::Backoff;
use crate::wire::Connection;
use crate::{ClientConfig, ClientError, Result};

/// Which topics to ask about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want<'a> {
    /// Only the brokers.
    Brokers,
    /// Every topic.
    All,
    /// These.
    Topics(&'a [TopicName]),
}

/// Which of the connections to a broker to use. Brokers work off each connection in order, so what they
/// hold (a fetch, a join) has one of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane(u64);

impl Lane {
    /// For everything that is answered at once.
    pub(crate) const SHARED: Self = Self(0);
}

/// What every part of the client shares.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) config: ClientConfig,
    state: Mutex<State>,
    /// One metadata request at a time: others wait for its answer.
    refreshing: tokio::sync::Mutex<()>,
    lanes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    metadata: Arc<Metadata>,
    coordinators: HashMap<GroupId, NodeId>,
    /// By address, so that a bootstrap connection serves its broker too.
    slots: HashMap<(String, Lane), Arc<tokio::sync::Mutex<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    connection: Option<Arc<Connection>>,
    /// After a failure: when to try again, and the pauses after that.
    retry: Option<(Instant, Backoff)>,
}

impl Cluster {
    /// Connects to the first bootstrap server that answers and learns the brokers.
    pub(crate) async fn connect(config: ClientConfig) -> Result<Self> {
        config.validate()?;
        let cluster = Self {
            config,
            state: Mutex::default(),
            refreshing: tokio::sync::Mutex::default(),
            lanes: AtomicU64::new(1),
        };
        cluster.bootstrap().await?;
        Ok(cluster)
    }

    pub(crate) fn metadata(&self) -> Arc<Metadata> {
        Arc::clone(&self.lock().metadata)
    }

    /// A lane that nobody else uses.
    pub(crate) fn new_lane(&self) -> Lane {
        Lane(self.lanes.fetch_add(1, Ordering::Relaxed))
    }

    /// Closes the connections of a lane once nobody uses them.
    pub(crate) fn close_lane(&self, lane: Lane) {
        self.lock().slots.retain(|(_, l), _| *l != lane);
    }

    /// The shared connection to a broker, opened if need be.
    pub(crate) async fn broker(&self, id: NodeId) -> Result<Arc<Connection>> {
        self.broker_on(id, Lane::SHARED).await
    }

    /// The connection of `lane` to a broker, opened if need be.
    pub(crate) async fn broker_on(&self, id: NodeId, lane: Lane) -> Result<Arc<Connection>> {
        let known = || self.metadata().brokers.get(&id).map(BrokerInfo::address);
        let mut address = known();
        if address.is_none() {
            self.refresh(Want::Brokers, false).await?;
            address = known();
        }
        match address {
            Some(address) => self.at(&address, lane).await,
            None => Err(ClientError::UnknownBroker { broker: id }),
        }
    }

    /// A connection to any broker, preferably one that is open.
    pub(crate) async fn any(&self) -> Result<Arc<Connection>> {
        let doubted = self.doubted();
        if let Some(open) = self.open_connection(&doubted) {
            return Ok(open);
        }
        let mut last = None;
        let mut addresses: Vec<_> = self.metadata().brokers.values().map(BrokerInfo::address).collect();
        addresses.sort_by_key(|address| doubted.contains(address));
        for address in &addresses {
            match self.at(address, Lane::SHARED).await {
                Ok(connection) => return Ok(connection),
                Err(e) => last = Some(e),
            }
        }
        self.bootstrap().await.map_err(|e| last.unwrap_or(e))
    }

    /// A connection to the controller if the cluster names one, otherwise to any broker.
    pub(crate) async fn controller(&self) -> Result<Arc<Connection>> {
        let known = self.metadata().controller.filter(|id| self.metadata().brokers.contains_key(id));
        match known {
            Some(id) => self.broker(id).await,
            None => self.any().await,
        }
    }

    /// A partition's leader. Metadata is fetched if it is missing or old.
    pub(crate) async fn leader_id(&self, partition: &TopicPartition) -> Result<NodeId> {
        let topic = self.topic(&partition.topic).await?;
        let count = topic.partitions.len();
        match topic.partition(partition.partition).map(|p| p.leader) {
            Some(Some(leader)) => Ok(leader),
            Some(None) => Err(ClientError::broker(partition, ErrorCode::LEADER_NOT_AVAILABLE, None)),
            None => {
                let (topic, partition) = (partition.topic.clone(), partition.partition);
                Err(ClientError::UnknownPartition { topic, partition, count })
            }
        }
    }

    /// A topic, fetched if it is unknown or its metadata too old. Waits for one that is being created.
    pub(crate) async fn topic(&self, name: &TopicName) -> Result<Arc<TopicInfo>> {
        let metadata = self.metadata();
        let fresh =
            metadata.topic_updated(name).is_some_and(|at| at.elapsed() < self.config.metadata_max_age);
        if let (true, Some(topic)) = (fresh, metadata.topic(name)) {
            return Ok(Arc::clone(topic));
        }
        let mut retry = Retry::new(self, format!("finding topic {name}"));
        loop {
            let asked = self
                .refresh(Want::Topics(std::slice::from_ref(name)), self.config.allow_auto_create_topics)
                .await;
            let error = match asked {
                Ok(errors) => match (self.metadata().topic(name), errors.get(name)) {
                    (Some(topic), None) => return Ok(Arc::clone(topic)),
                    (_, Some(&code)) => {
                        // Where topics are created on demand, the first answer says "unknown" or "no leader".
                        let unknown = code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
                        if unknown && (!self.config.allow_auto_create_topics || retry.attempts() >= 3) {
                            return Err(ClientError::UnknownTopic { topic: name.clone() });
                        }
                        ClientError::broker(format!("topic {name}"), code, None)
                    }
                    (None, None) => return Err(ClientError::UnknownTopic { topic: name.clone() }),
                },
                Err(e) => e,
            };
            retry.after(error).await?;
        }
    }

    /// Fetches metadata; gives the topics' errors back.
    pub(crate) async fn refresh(
        &self,
        want: Want<'_>,
        auto_create: bool,
    ) -> Result<HashMap<TopicName, ErrorCode>> {
        let _one_at_a_time = self.refreshing.lock().await;
        let connection = self.any().await?;
        let response = connection.call(&request(want, auto_create)).await?;
        if response.error_code.is_error() {
            return Err(ClientError::broker("metadata", response.error_code, None));
        }
        let mut state = self.lock();
        let mut metadata = Metadata::clone(&state.metadata);
        let errors = metadata.merge(&response, matches!(want, Want::All), Instant::now());
        state.metadata = Arc::new(metadata);
        Ok(errors)
    }

    /// The addresses with a connection that broke off, was not answered in time or is being made: a broker that stands still has others
    /// open, and takes new ones, without an answer on any.
    fn doubted(&self) -> HashSet<String> {
        let slots: Vec<_> = self
            .lock()
            .slots
            .iter()
            .map(|((address, _), slot)| (address.clone(), Arc::clone(slot)))
            .collect();
        let works = |slot: &tokio::sync::Mutex<Slot>| {
            slot.try_lock().is_ok_and(|slot| slot.connection.as_ref().is_some_and(|c| c.is_open()))
        };
        slots.into_iter().filter(|(_, slot)| !works(slot)).map(|(address, _)| address).collect()
    }

    fn open_connection(&self, doubted: &HashSet<String>) -> Option<Arc<Connection>> {
        let shared = |((address, lane), slot): (&(String, Lane), &Arc<_>)| {
            (*lane == Lane::SHARED && !doubted.contains(address)).then(|| Arc::clone(slot))
        };
        let slots: Vec<Arc<tokio::sync::Mutex<Slot>>> = self.lock().slots.iter().filter_map(shared).collect();
        slots.iter().find_map(|slot| {
            let slot = slot.try_lock().ok()?;
            slot.connection.as_ref().filter(|c| c.is_open()).map(Arc::clone)
        })
    }

    async fn bootstrap(&self) -> Result<Arc<Connection>> {
        let mut reason = String::new();
        let doubted = self.doubted();
        let mut addresses: Vec<_> = self.config.bootstrap_servers.iter().collect();
        addresses.sort_by_key(|address| doubted.contains(*address));
        for address in addresses {
            match self.at(address, Lane::SHARED).await {
                Ok(connection) => return Ok(connection),
                Err(ClientError::Unreachable { reason: r, .. }) => reason = r,
                Err(e) => reason = e.to_string(),
            }
        }
        Err(ClientError::Unreachable { addresses: self.config.bootstrap_servers.join(", "), reason })
    }

    /// The connection to `address`. After a failure the next attempt waits.
    async fn at(&self, address: &str, lane: Lane) -> Result<Arc<Connection>> {
        let slot = Arc::clone(self.lock().slots.entry((address.to_owned(), lane)).or_default());
        let mut slot = slot.lock().await;
        if let Some(open) = slot.connection.as_ref().filter(|c| c.is_open()) {
            return Ok(Arc::clone(open));
        }
        slot.connection = None;
        if let Some((at, _)) = &slot.retry {
            tokio::time::sleep_until(*at).await;
        }
        match Connection::open(address, &self.config).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                slot.connection = Some(Arc::clone(&connection));
                slot.retry = None;
                Ok(connection)
            }
            Err(e) => {
                let mut backoff = match slot.retry.take() {
                    Some((_, backoff)) => backoff,
                    None => Backoff::new(self.config.retry_backoff, self.config.retry_backoff_max),
                };
                slot.retry = Some((Instant::now() + backoff.pause(), backoff));
                Err(e)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment; a panic elsewhere leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn request(want: Want<'_>, auto_create: bool) -> MetadataRequest {
    let topics = match want {
        Want::All => None,
        Want::Brokers => Some(Vec::new()),
        Want::Topics(names) => Some(
            names
                .iter()
                .map(|name| MetadataRequestTopic {
                    name: Some(ByteString::from(name.clone())),
                    ..MetadataRequestTopic::default()
                })
                .collect(),
        ),
    };
    MetadataRequest { topics, allow_auto_topic_creation: auto_create, ..MetadataRequest::default() }
}

#[cfg(test)]
#[path = "cluster_test.rs"]
mod tests;
