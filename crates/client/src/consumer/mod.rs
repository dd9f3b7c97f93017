//! Receiving records.

mod config;
mod fetched;
mod fetcher;
mod group;
mod offsets;
mod positions;
mod record;

use std::sync::Arc;
use std::time::Duration;

use ottla_types::{Offset, TopicName, TopicPartition};
use tokio::time::Instant;

pub use config::{ConsumerConfig, OffsetReset};
pub use group::Assignor;
pub use record::ConsumerRecord;

use self::fetcher::Fetcher;
use self::group::{Group, Signal};
use self::positions::{Position, Positions};
use crate::cluster::{Cluster, Lane, OffsetSpec};
use crate::{Client, ClientError, Result};

/// How often the leader of a group looks whether its topics grew, while one of them is missing.
const MISSING_TOPIC_INTERVAL: Duration = Duration::from_secs(5);

/// Receives records: of partitions that it is told ([`Consumer::assign`]), or of topics that it shares with
/// the other members of its group ([`Consumer::subscribe`]).
///
/// ```no_run
/// # async fn example() -> ottla_client::Result<()> {
/// use std::time::Duration;
/// use ottla_client::{Client, ConsumerConfig};
///
/// let client = Client::connect("127.0.0.1:9092").await?;
/// let mut consumer = client.consumer(ConsumerConfig::group("billing"))?;
/// consumer.subscribe(["orders"])?;
/// loop {
///     for record in consumer.poll(Duration::from_secs(1)).await? {
///         println!("{} {}: {:?}", record.topic_partition(), record.offset, record.value);
///     }
///     consumer.commit().await?;
/// }
/// # }
/// ```
///
/// A member has to poll at least every `max_poll_interval`; heartbeats in between are sent aside. Futures
/// of this type should run to their end: one that is dropped in the middle may have joined or committed.
#[derive(Debug)]
pub struct Consumer {
    cluster: Arc<Cluster>,
    config: ConsumerConfig,
    /// For fetches, which brokers hold.
    fetch_lane: Lane,
    /// For the group, whose joins brokers hold.
    group_lane: Lane,
    positions: Positions,
    fetcher: Fetcher,
    subscription: Vec<TopicName>,
    group: Option<Group>,
    last_commit: Instant,
    last_look: Instant,
}

impl Client {
    /// A consumer that reads nothing yet; it needs a tokio runtime.
    pub fn consumer(&self, config: ConsumerConfig) -> Result<Consumer> {
        config.validate()?;
        let cluster = Arc::clone(self.cluster());
        let (fetch_lane, group_lane) = (cluster.new_lane(), cluster.new_lane());
        Ok(Consumer {
            fetcher: Fetcher::new(Arc::clone(&cluster), fetch_lane),
            cluster,
            config,
            fetch_lane,
            group_lane,
            positions: Positions::default(),
            subscription: Vec::new(),
            group: None,
            last_commit: Instant::now(),
            last_look: Instant::now(),
        })
    }
}

impl Consumer {
    /// Shares these topics with the other members of the group. The next poll joins.
    pub fn subscribe<T: Into<TopicName>>(&mut self, topics: impl IntoIterator<Item = T>) -> Result<()> {
        let Some(id) = self.config.group_id.as_deref() else {
            let expected = "a group id, because subscribed topics are shared within a group";
            return Err(ClientError::Invalid { what: "group.id", value: "none".to_owned(), expected });
        };
        self.subscription = topics.into_iter().map(Into::into).collect();
        self.subscription.sort();
        self.subscription.dedup();
        self.group = Some(Group::new(Arc::clone(&self.cluster), self.group_lane, id, &self.config));
        self.positions.clear();
        Ok(())
    }

    /// Reads these partitions, from the committed offset if there is a group and one was committed, else as
    /// `auto_offset_reset` says. Partitions that were assigned before keep their positions.
    pub fn assign(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) {
        self.subscription.clear();
        self.group = None;
        self.positions.assign(partitions, Position::Committed);
    }

    /// The partitions that are read now.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.positions.iter().map(|(p, _)| p.clone()).collect()
    }

    /// Reads on at `offset`.
    pub fn seek(&mut self, partition: &TopicPartition, offset: Offset) -> Result<()> {
        self.move_to(partition, Position::At(offset))
    }

    /// Reads on at the start, the end, or a time. The next poll looks the offset up; a time after the last
    /// record is the end.
    pub fn seek_to(&mut self, partition: &TopicPartition, spec: OffsetSpec) -> Result<()> {
        self.move_to(partition, Position::LookUp(spec))
    }

    /// Gives no records of the partition until [`Consumer::resume`].
    pub fn pause(&mut self, partition: &TopicPartition) {
        if let Some(state) = self.positions.get_mut(partition) {
            state.paused = true;
        }
    }

    /// Undoes [`Consumer::pause`].
    pub fn resume(&mut self, partition: &TopicPartition) {
        if let Some(state) = self.positions.get_mut(partition) {
            state.paused = false;
        }
    }

    /// The next offset to give; `None` before it is known.
    pub fn position(&self, partition: &TopicPartition) -> Option<Offset> {
        match self.positions.get(partition)?.position {
            Position::At(offset) => Some(offset),
            _ => None,
        }
    }

    /// Where the partition's log ended at the last fetch.
    pub fn high_watermark(&self, partition: &TopicPartition) -> Option<Offset> {
        self.positions.get(partition)?.high_watermark
    }

    /// Up to `max_poll_records` records, as soon as there are any; none after `timeout`. Joins the group if
    /// need be, which may take longer than `timeout`.
    pub async fn poll(&mut self, timeout: Duration) -> Result<Vec<ConsumerRecord>> {
        let deadline = Instant::now() + timeout;
        loop {
            self.stay_in_group().await?;
            self.auto_commit().await;
            self.find_positions().await?;
            let records = self.positions.take(self.config.max_poll_records)?;
            // Sent before the records are handed out, so that the next ones are on their way meanwhile.
            self.fetcher.send(&self.config, &mut self.positions).await;
            if !records.is_empty() || Instant::now() >= deadline {
                return Ok(records);
            }
            let group = &mut self.group;
            let rejoin = async {
                match group {
                    Some(group) => group.changed().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                received = self.fetcher.receive(&self.config, &mut self.positions) => received?,
                () = rejoin => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// Commits if `enable_auto_commit`, and leaves the group.
    pub async fn close(mut self) -> Result<()> {
        let committed = if self.config.enable_auto_commit && self.config.group_id.is_some() {
            self.commit().await
        } else {
            Ok(())
        };
        if let Some(group) = self.group.take() {
            group.close().await;
        }
        committed
    }

    fn move_to(&mut self, partition: &TopicPartition, position: Position) -> Result<()> {
        if self.positions.seek(partition, position) {
            return Ok(());
        }
        let value = partition.to_string();
        Err(ClientError::Invalid {
            what: "partition",
            value,
            expected: "one that is assigned to this consumer",
        })
    }

    /// Joins when the coordinator asks for it, or when the topics changed.
    async fn stay_in_group(&mut self) -> Result<()> {
        let Some(group) = &self.group else { return Ok(()) };
        group.polled();
        if group.signal() == Signal::Stable && !self.topics_changed().await {
            return Ok(());
        }
        let lost = self.group.as_ref().is_some_and(|g| g.signal() == Signal::Lost);
        if !lost && self.config.enable_auto_commit {
            // The next owner goes on where we stopped.
            if let Err(error) = self.commit().await {
                tracing::warn!(%error, "offsets could not be committed before the rebalance");
            }
        }
        let owned = self.assignment();
        let Some(group) = &mut self.group else { return Ok(()) };
        let assigned = group.join(&self.subscription, &owned).await?;
        tracing::debug!(group = %group.membership().group, partitions = assigned.len(), "joined");
        // Positions are looked up anew: another member may have committed in between.
        self.positions.clear();
        self.positions.assign(assigned, Position::Committed);
        self.last_commit = Instant::now();
        Ok(())
    }

    async fn topics_changed(&mut self) -> bool {
        let metadata = self.cluster.metadata();
        let missing = self.subscription.iter().any(|t| metadata.topic(t).is_none());
        let max_age = self.cluster.config.metadata_max_age;
        let interval = if missing { MISSING_TOPIC_INTERVAL.min(max_age) } else { max_age };
        if self.last_look.elapsed() < interval {
            return false;
        }
        self.last_look = Instant::now();
        let Some(group) = &self.group else { return false };
        group.is_outdated().await.unwrap_or_else(|error| {
            tracing::debug!(%error, "could not look for new partitions");
            false
        })
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.cluster.close_lane(self.fetch_lane);
        self.cluster.close_lane(self.group_lane);
    }
}
