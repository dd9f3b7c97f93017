//! Sending records.

mod accumulator;
#[cfg(test)]
mod accumulator_test;
mod batch;
mod config;
mod delivery;
mod identity;
mod lane;
mod partitioner;
mod record;
mod sender;

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use ottla_records::BatchBuilder;
use ottla_types::{PartitionIndex, TimestampMs, TopicName, TopicPartition};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use config::{Acks, ProducerConfig};
pub use delivery::Delivery;
pub use partitioner::partition_for_key;
pub use record::{ProducerRecord, RecordMetadata};

use self::accumulator::Accumulator;
use self::sender::{Shared, State};
use crate::cluster::Cluster;
use crate::{Client, ClientError, Result};

/// Sends records: collects them into batches per partition, compresses, sends again what was lost, and
/// keeps each partition's order.
///
/// ```no_run
/// # async fn example() -> ottla_client::Result<()> {
/// use ottla_client::{Client, ProducerConfig, ProducerRecord};
///
/// let client = Client::connect("127.0.0.1:9092").await?;
/// let producer = client.producer(ProducerConfig::default())?;
/// let delivery = producer.send(ProducerRecord::new("orders").key("customer-7").value("2 shirts")).await?;
/// println!("written at {:?}", delivery.acknowledged().await?.offset);
/// producer.close().await
/// # }
/// ```
#[derive(Debug)]
pub struct Producer {
    shared: Arc<Shared>,
    memory: Arc<Semaphore>,
    task: AbortHandle,
}

impl Client {
    /// A producer; it needs a tokio runtime.
    pub fn producer(&self, config: ProducerConfig) -> Result<Producer> {
        config.validate()?;
        Ok(Producer::start(Arc::clone(self.cluster()), config))
    }
}

impl Producer {
    fn start(cluster: Arc<Cluster>, config: ProducerConfig) -> Self {
        let memory = Arc::new(Semaphore::new(config.buffer_memory));
        let accumulator = Accumulator::new(config.clone(), cluster.config.retry_backoff);
        let state = Mutex::new(State::new(accumulator));
        let shared = Arc::new(Shared { cluster, config, state, wake: Notify::new() });
        let task = tokio::spawn(sender::run(Arc::clone(&shared))).abort_handle();
        Self { shared, memory, task }
    }

    /// Hands a record over; waits only for room in `buffer_memory`, and for metadata of a new topic.
    /// The [`Delivery`] tells what becomes of it.
    pub async fn send(&self, record: ProducerRecord) -> Result<Delivery> {
        let count = self.partition_count(&record.topic).await?;
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let size = BatchBuilder::size_of(key, value, &record.headers);
        let limit = self.shared.config.max_request_size;
        if size > limit {
            return Err(ClientError::RecordTooLarge { topic: record.topic, size, limit });
        }
        let memory = self.reserve(size).await?;
        let timestamp = record.timestamp.unwrap_or_else(now_ms);
        let mut state = self.shared.lock();
        if let Some(fatal) = &state.fatal {
            return Err(fatal.clone());
        }
        let index = match (record.partition, &record.key) {
            (Some(p), _) if p.0 >= 0 && p.0 < count => p,
            (Some(partition), _) => {
                let count = count.max(0) as usize;
                return Err(ClientError::UnknownPartition { topic: record.topic, partition, count });
            }
            (None, Some(key)) => partition_for_key(key, count),
            (None, None) => self.sticky(&mut state, &record.topic, count, size),
        };
        let partition = TopicPartition { topic: record.topic.clone(), partition: index };
        let appended = state
            .accumulator
            .append(Instant::now(), &partition, timestamp, &record, Some(memory))
            .map_err(|_| ClientError::RecordTooLarge { topic: record.topic, size, limit })?;
        drop(state);
        if appended.wake {
            self.shared.wake.notify_one();
        }
        Ok(Delivery { outcome: appended.outcome, index: appended.index, partition, timestamp })
    }

    /// Sends everything at once and waits until each record is acknowledged or has failed. Gives the
    /// first failure.
    pub async fn flush(&self) -> Result<()> {
        let outcomes = self.shared.lock().accumulator.flush();
        self.shared.wake.notify_one();
        let mut first = Ok(());
        for outcome in outcomes {
            let result = outcome.wait().await.map(drop);
            if first.is_ok() {
                first = result;
            }
        }
        first
    }

    /// Flushes and stops.
    pub async fn close(self) -> Result<()> {
        self.flush().await
    }

    async fn partition_count(&self, topic: &TopicName) -> Result<i32> {
        let cluster = &self.shared.cluster;
        let metadata = cluster.metadata();
        let fresh =
            metadata.topic_updated(topic).is_some_and(|at| at.elapsed() < cluster.config.metadata_max_age);
        let count = match metadata.topic(topic).filter(|_| fresh) {
            Some(known) => known.partitions.len(),
            None => cluster.topic(topic).await?.partitions.len(),
        };
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }

    async fn reserve(&self, size: usize) -> Result<OwnedSemaphorePermit> {
        // Bounded by `max_request_size`, which is at most `buffer_memory`, which fits.
        let permits = u32::try_from(size).unwrap_or(u32::MAX);
        let reserved = Arc::clone(&self.memory).acquire_many_owned(permits).await;
        reserved.map_err(|_| ClientError::Closed { what: "producer" })
    }

    fn sticky(&self, state: &mut State, topic: &TopicName, count: i32, size: usize) -> PartitionIndex {
        let batch_size = self.shared.config.batch_size;
        match state.sticky.get_mut(topic) {
            Some(sticky) => sticky.next(count, size, batch_size, crate::random::bits()),
            None => {
                let sticky = state.sticky.entry(topic.clone()).or_default();
                sticky.next(count, size, batch_size, crate::random::bits())
            }
        }
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn now_ms() -> TimestampMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    TimestampMs::try_from(since.as_millis()).unwrap_or(TimestampMs::MAX)
}
