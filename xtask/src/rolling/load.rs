//! A producer and a consumer group that notice what happens to a cluster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ottla_client::{
    Client, ClientError, ConsumerConfig, ConsumerRecord, OffsetReset, ProducerConfig, ProducerRecord,
    TopicPartition,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::Failure;

pub(super) const TOPIC: &str = "rolling";
pub(super) const PARTITIONS: i32 = 6;

/// Records that are sent every [`EVERY`].
const BURST: u64 = 5;
const EVERY: Duration = Duration::from_millis(5);
/// Records that may wait for their acknowledgement.
const WINDOW: usize = 100;
/// How long the consumers may take for what is left in the end.
const CATCH_UP: Duration = Duration::from_secs(30);

/// The load, until it is stopped.
pub(super) struct Load {
    runtime: Runtime,
    bootstrap: String,
    stop: Arc<AtomicBool>,
    producer: JoinHandle<Result<Produced, ClientError>>,
    consumers: Vec<JoinHandle<Result<(), ClientError>>>,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Produced {
    acknowledged: BTreeSet<u64>,
    /// The longest time without an acknowledgement.
    longest_pause: Duration,
}

#[derive(Debug, Default)]
struct Seen {
    numbers: std::sync::Mutex<BTreeSet<u64>>,
    /// Errors that passed.
    retried: std::sync::Mutex<Vec<String>>,
    done: AtomicBool,
}

impl Load {
    pub(super) fn start(bootstrap: &str) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (stop, seen) = (Arc::<AtomicBool>::default(), Arc::<Seen>::default());
        let producer = runtime.spawn(produce(bootstrap.to_owned(), Arc::clone(&stop)));
        let consumers =
            (0..2).map(|_| runtime.spawn(consume(bootstrap.to_owned(), Arc::clone(&seen)))).collect();
        Ok(Self { runtime, bootstrap: bootstrap.to_owned(), stop, producer, consumers, seen })
    }

    /// Stops it; that all acknowledged records were consumed, and are in the log once.
    pub(super) fn stop_and_check(self) -> Result<String, Failure> {
        let Self { runtime, bootstrap, stop, producer, consumers, seen } = self;
        stop.store(true, Ordering::Release);
        let produced =
            runtime.block_on(producer)?.map_err(|error| format!("the producer saw an error: {error}"))?;
        let began = Instant::now();
        while !produced.acknowledged.is_subset(&lock(&seen.numbers)) && began.elapsed() < CATCH_UP {
            std::thread::sleep(EVERY);
        }
        seen.done.store(true, Ordering::Release);
        for consumer in consumers {
            runtime.block_on(consumer)?.map_err(|error| format!("a consumer saw an error: {error}"))?;
        }
        let unseen = produced.acknowledged.difference(&lock(&seen.numbers)).count();
        if unseen > 0 {
            return Err(format!("{unseen} acknowledged records were not consumed").into());
        }
        let stored = runtime.block_on(read_back(&bootstrap, &produced.acknowledged))?;
        let lost = produced.acknowledged.iter().filter(|number| !stored.contains_key(number)).count();
        let twice = stored.values().filter(|count| **count > 1).count();
        if lost + twice > 0 {
            return Err(format!("{lost} acknowledged records are lost, {twice} are there twice").into());
        }
        let retried = lock(&seen.retried);
        Ok(format!(
            "{} records acknowledged, all there once and consumed; the longest pause between acknowledgements was {:.0?}; \
             errors that passed: {}",
            produced.acknowledged.len(),
            produced.longest_pause,
            if retried.is_empty() { "none".to_owned() } else { retried.join("; ") }
        ))
    }
}

/// Sends numbers. The client tries again by itself what can be tried again: an error here is one that does not pass.
async fn produce(bootstrap: String, stop: Arc<AtomicBool>) -> Result<Produced, ClientError> {
    let client = Client::connect(&bootstrap).await?;
    let producer = client.producer(ProducerConfig::default())?;
    let (mut produced, mut waiting) = (Produced::default(), VecDeque::new());
    let mut last = Instant::now();
    for number in 0.. {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let record = ProducerRecord::new(TOPIC).key(number.to_string()).value(number.to_string());
        waiting.push_back((number, producer.send(record).await?));
        if number % BURST == 0 {
            tokio::time::sleep(EVERY).await;
        }
        while waiting.len() > WINDOW
            && let Some((number, delivery)) = waiting.pop_front()
        {
            delivery.acknowledged().await?;
            produced.acknowledged(number, &mut last);
        }
    }
    for (number, delivery) in waiting {
        delivery.acknowledged().await?;
        produced.acknowledged(number, &mut last);
    }
    Ok(produced)
}

impl Produced {
    fn acknowledged(&mut self, number: u64, last: &mut Instant) {
        self.longest_pause = self.longest_pause.max(last.elapsed());
        *last = Instant::now();
        self.acknowledged.insert(number);
    }
}

/// A member of the group; goes on after errors that pass.
async fn consume(bootstrap: String, seen: Arc<Seen>) -> Result<(), ClientError> {
    let client = Client::connect(&bootstrap).await?;
    let config = ConsumerConfig { auto_offset_reset: OffsetReset::Earliest, ..ConsumerConfig::group(TOPIC) };
    let mut consumer = client.consumer(config)?;
    consumer.subscribe([TOPIC])?;
    while !seen.done.load(Ordering::Acquire) {
        match consumer.poll(Duration::from_millis(200)).await {
            Ok(records) => lock(&seen.numbers).extend(records.iter().filter_map(number)),
            Err(error) if error.is_retriable() => lock(&seen.retried).push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    consumer.close().await
}

/// How often each number is in the log.
async fn read_back(bootstrap: &str, expected: &BTreeSet<u64>) -> Result<BTreeMap<u64, u32>, ClientError> {
    let client = Client::connect(bootstrap).await?;
    let config = ConsumerConfig { auto_offset_reset: OffsetReset::Earliest, ..ConsumerConfig::default() };
    let mut consumer = client.consumer(config)?;
    consumer.assign((0..PARTITIONS).map(|index| TopicPartition::new(TOPIC, index)));
    let (mut stored, began) = (BTreeMap::new(), Instant::now());
    loop {
        let records = consumer.poll(Duration::from_secs(2)).await?;
        // Two seconds without any: that was all.
        let is_end = records.is_empty() && stored.len() >= expected.len();
        for number in records.iter().filter_map(number) {
            *stored.entry(number).or_insert(0) += 1;
        }
        if is_end || began.elapsed() > CATCH_UP {
            return Ok(stored);
        }
    }
}

fn number(record: &ConsumerRecord) -> Option<u64> {
    std::str::from_utf8(record.value.as_ref()?).ok()?.parse().ok()
}

fn lock<T>(of: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
