//! A producer: records at a steady rate, each acknowledgement noted. Now and then it dies with what it has in flight, and a
//! new one begins.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ottla_client::{ClientError, Delivery, Producer, ProducerConfig, ProducerRecord, TopicPartition};
use ottla_env::{Rng, SeededRng};
use ottla_history::{Outcome, Value};
use ottla_protocol::ErrorCode;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::{AGAIN_AFTER, FOR_EVER, Load, TOPIC, connect};
use crate::journal::Journal;

/// Once nothing stands in the way any more, the rest is acknowledged within this time.
const FLUSHED_WITHIN: Duration = Duration::from_secs(60);
/// Each producer lives between so long and twice as long.
const LIFE: Duration = Duration::from_secs(20);
/// Records are handed over in small groups, as many as are due.
const TICK: Duration = Duration::from_millis(10);

/// Writes until the run is over, then waits for the acknowledgements.
pub(super) async fn write(servers: String, load: Load, seed: u64, journal: Journal) {
    let mut rng = SeededRng::new(seed);
    while !journal.is_over() {
        let life = LIFE + Duration::from_millis(rng.below(LIFE.as_millis() as u64));
        let client = match connect(&servers, "producer").await {
            Ok(client) => client,
            Err(error) => {
                journal.error("producer, connecting", &error);
                sleep(AGAIN_AFTER).await;
                continue;
            }
        };
        let config = ProducerConfig {
            delivery_timeout: FOR_EVER,
            buffer_memory: 8 << 20,
            ..ProducerConfig::default()
        };
        match client.producer(config) {
            Ok(producer) => Writer::new(load, &mut rng, journal.clone()).live(producer, life).await,
            Err(error) => return journal.unmet(format!("a producer cannot be: {error}")),
        }
    }
}

struct Writer<'a> {
    load: Load,
    rng: &'a mut SeededRng,
    journal: Journal,
    number: u32,
    written: u64,
    /// Of each partition, what awaits its acknowledgements in their order.
    lanes: BTreeMap<i32, UnboundedSender<(usize, Delivery)>>,
    waiting: JoinSet<()>,
}

impl<'a> Writer<'a> {
    fn new(load: Load, rng: &'a mut SeededRng, journal: Journal) -> Self {
        let number = journal.new_writer();
        Self { load, rng, journal, number, written: 0, lanes: BTreeMap::new(), waiting: JoinSet::new() }
    }

    async fn live(mut self, producer: Producer, life: Duration) {
        let began = Instant::now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let per_s = u64::from(self.load.records_per_s) / u64::from(self.load.producers.max(1));
        while !self.journal.is_over() && began.elapsed() < life {
            ticks.tick().await;
            // What could not be sent while there was no room is not made up for.
            let due = (per_s * TICK.as_millis() as u64).div_ceil(1000);
            for _ in 0..due {
                if let Err(error) = self.send(&producer).await {
                    self.journal.error("producer, sending", &error);
                    sleep(AGAIN_AFTER).await;
                    if !error.is_retriable() {
                        return;
                    }
                }
            }
        }
        if self.journal.is_over() {
            self.finish(&producer).await;
        }
        // Else what is in flight is left to itself: whether it arrives nobody knows.
    }

    async fn send(&mut self, producer: &Producer) -> Result<(), ClientError> {
        let partition =
            i32::try_from(self.rng.below(self.load.partitions.unsigned_abs().into())).unwrap_or(0);
        let value = Value(self.number, self.written);
        self.written += 1;
        let text = format!("{value}:");
        let text = format!("{text:.<width$}", width = self.load.record_bytes);
        let index = self.journal.sent(partition, value);
        match producer.send(ProducerRecord::new(TOPIC).partition(partition).value(text)).await {
            Ok(delivery) => {
                let (waiting, journal) = (&mut self.waiting, &self.journal);
                let lane = self.lanes.entry(partition).or_insert_with(|| {
                    let (lane, deliveries) = unbounded_channel();
                    waiting.spawn(note(deliveries, journal.clone()));
                    lane
                });
                // The other side is there as long as this writer is.
                let _ = lane.send((index, delivery));
                Ok(())
            }
            Err(error) => {
                // It was not even handed over.
                self.journal.ended(index, Outcome::Failed, false);
                Err(error)
            }
        }
    }

    async fn finish(mut self, producer: &Producer) {
        self.lanes.clear();
        // The failures are noted one by one.
        let flushed = timeout(FLUSHED_WITHIN, producer.flush()).await;
        let noted =
            timeout(Duration::from_secs(5), async { while self.waiting.join_next().await.is_some() {} })
                .await;
        if flushed.is_err() || noted.is_err() {
            let number = self.number;
            self.journal.unmet(format!(
                "writer {number} still waits for acknowledgements {FLUSHED_WITHIN:?} after all was healed"
            ));
        }
    }
}

/// Notes what becomes of the records of a partition.
async fn note(mut deliveries: UnboundedReceiver<(usize, Delivery)>, journal: Journal) {
    while let Some((index, delivery)) = deliveries.recv().await {
        let partition: TopicPartition = delivery.partition().clone();
        match delivery.acknowledged().await {
            Ok(written) => {
                let outcome = written.offset.map_or(Outcome::OkSomewhere, Outcome::Ok);
                journal.ended(index, outcome, false);
            }
            // The producer died; it stays unknown what became of the record.
            Err(ClientError::Closed { .. }) => {}
            Err(error) => {
                journal.error("producer, delivery", &error);
                let out_of_order = error.code() == Some(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
                journal.ended(index, Outcome::Unknown, out_of_order);
                journal.unmet(format!("a record for {partition} was given up: {error}"));
            }
        }
    }
}
