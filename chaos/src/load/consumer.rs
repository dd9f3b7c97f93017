//! Consumers: one follows the whole run, another reads everything at the end.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ottla_client::{Client, Consumer, ConsumerConfig, OffsetReset, OffsetSpec, TopicPartition};
use ottla_history::Value;
use ottla_types::Offset;
use tokio::time::sleep;

use super::{AGAIN_AFTER, Load, TOPIC, connect};
use crate::Failure;
use crate::journal::Journal;

const POLL: Duration = Duration::from_millis(500);
/// A consumer that got so far is allowed to take this long for the rest.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Reads from the start on, through all faults, until it has read up to `ends`, which it is told when the run is over.
pub(crate) async fn follow(
    servers: String,
    load: Load,
    journal: Journal,
    ends: tokio::sync::oneshot::Receiver<BTreeMap<i32, Offset>>,
) {
    let mut ends = Box::pin(ends);
    let mut reader = Reader::new(load, journal.clone());
    let client = loop {
        match connect(&servers, "follower").await {
            Ok(client) => break client,
            Err(error) => {
                journal.error("consumer, connecting", &error);
                sleep(AGAIN_AFTER).await;
            }
        }
    };
    let mut consumer = match reader.begin(&client) {
        Ok(consumer) => consumer,
        Err(error) => return journal.unmet(format!("a consumer cannot be: {error}")),
    };
    let ends = loop {
        tokio::select! {
            biased;
            ends = &mut ends => match ends {
                Ok(ends) => break ends,
                Err(_) => return,
            },
            () = reader.poll(&mut consumer) => {}
        }
    };
    // A poll that was dropped may have lost records that it had taken: a new one goes on from what was noted.
    match reader.begin(&client) {
        Ok(consumer) => reader.read_up_to(consumer, &ends, "the consumer").await,
        Err(error) => journal.unmet(format!("a consumer cannot be: {error}")),
    }
}

/// A new consumer reads everything; what each partition ends at.
pub(crate) async fn scan(
    servers: &str,
    load: Load,
    journal: &Journal,
) -> Result<BTreeMap<i32, Offset>, Failure> {
    let client = connect(servers, "scan").await?;
    let mut reader = Reader::new(load, journal.clone());
    let mut ends = BTreeMap::new();
    let listed = client
        .admin()
        .list_offsets((0..load.partitions).map(|p| (TopicPartition::new(TOPIC, p), OffsetSpec::Latest)))
        .await?;
    for (partition, listed) in listed {
        ends.insert(partition.partition.0, listed.offset.unwrap_or_default());
    }
    let consumer = reader.begin(&client)?;
    reader.read_up_to(consumer, &ends, "the last scan").await;
    Ok(ends)
}

struct Reader {
    journal: Journal,
    /// The next offset of each partition.
    next: BTreeMap<i32, Offset>,
}

impl Reader {
    fn new(load: Load, journal: Journal) -> Self {
        Self { journal, next: (0..load.partitions).map(|partition| (partition, Offset::ZERO)).collect() }
    }

    /// A consumer that reads on where this one is.
    fn begin(&mut self, client: &Client) -> Result<Consumer, ottla_client::ClientError> {
        let config = ConsumerConfig {
            enable_auto_commit: false,
            auto_offset_reset: OffsetReset::None,
            max_poll_records: 5000,
            ..ConsumerConfig::default()
        };
        let mut consumer = client.consumer(config)?;
        let partitions = self.next.keys().map(|&partition| TopicPartition::new(TOPIC, partition));
        consumer.assign(partitions.collect::<Vec<_>>());
        for (&partition, &next) in &self.next {
            consumer.seek(&TopicPartition::new(TOPIC, partition), next)?;
        }
        Ok(consumer)
    }

    async fn poll(&mut self, consumer: &mut Consumer) {
        match consumer.poll(POLL).await {
            Ok(records) => {
                for record in &records {
                    let next = self.next.entry(record.partition().0).or_default();
                    if record.offset != *next {
                        let (at, partition) = (record.offset, record.partition());
                        self.journal.unmet(format!(
                            "a consumer was given {partition} offset {at} when {next} was next"
                        ));
                    }
                    *next = record.offset.next();
                }
                self.journal.read(records.iter().map(|record| {
                    let value = record.value.as_deref().map_or(Value::UNKNOWN, Value::of);
                    (record.partition().0, record.offset, value)
                }));
            }
            Err(error) => {
                self.journal.error("consumer", &error);
                if !error.is_retriable() && !matches!(error.kind(), ottla_client::ErrorKind::Unreachable) {
                    self.journal.unmet(format!("a consumer was told: {error}"));
                }
                sleep(AGAIN_AFTER).await;
            }
        }
    }

    async fn read_up_to(&mut self, mut consumer: Consumer, ends: &BTreeMap<i32, Offset>, who: &str) {
        let lacks = |next: &BTreeMap<i32, Offset>| {
            let behind =
                ends.iter().find(|(partition, end)| next.get(partition).is_none_or(|next| next < end));
            behind.map(|(partition, end)| (*partition, *end))
        };
        let mut moved = Instant::now();
        while let Some((partition, end)) = lacks(&self.next) {
            let before = self.next.clone();
            self.poll(&mut consumer).await;
            if self.next != before {
                moved = Instant::now();
            }
            if moved.elapsed() > STUCK_AFTER {
                let at = self.next.get(&partition).copied().unwrap_or_default();
                return self
                    .journal
                    .unmet(format!("{who} is at {at} of partition {partition}, which ends at {end}"));
            }
        }
    }
}
