//! Collects records into batches and decides which batch goes when. No I/O: time comes in, batches go out.
//!
//! Order is kept per partition. Up to five requests may be in flight, all to one broker; when a batch has to be
//! sent again, or another broker leads, its partition sends nothing new until everything in flight has come
//! back, and then goes on in the old order. Sequence numbers make brokers drop what they have already (KIP-98), and refuse what comes too
//! early, once they know the producer: until then one batch is in flight. Where a batch is given up or a
//! broker lost track of the sequence, the epoch is raised and numbering starts at 0 (KIP-360).

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_protocol::ErrorCode;
use ottla_records::{BatchBuilder, RecordsError, add_sequence};
use ottla_types::{NodeId, ProducerEpoch, TimestampMs, TopicPartition};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::batch::{Batch, Identity};
use super::config::ProducerConfig;
use super::delivery::{Outcome, Written};
use super::record::ProducerRecord;
use crate::{ClientError, Result};

/// All batches of one producer.
#[derive(Debug)]
pub(crate) struct Accumulator {
    config: ProducerConfig,
    retry_backoff: Duration,
    queues: HashMap<TopicPartition, Queue>,
    identity: Option<Identity>,
    next_order: u64,
}

/// The batches of one partition, oldest first.
#[derive(Debug, Default)]
struct Queue {
    /// Being filled; the newest.
    open: Option<Batch>,
    /// Complete, or to be sent again.
    waiting: VecDeque<Batch>,
    /// Those that were sent and not answered, by order.
    in_flight: BTreeMap<u64, Arc<Outcome>>,
    /// All that were sent since the oldest whose fate is not known, by order. A broker knows the last five batches of a producer
    /// again: one that comes back must not be older.
    sent: VecDeque<u64>,
    /// Where those in flight went.
    sent_to: Option<NodeId>,
    /// Set by a retry: nothing is sent before all in flight came back.
    settling: bool,
    /// No attempt before this.
    not_before: Option<Instant>,
    /// The identity that sequences count under, and the next one.
    numbering: Option<(Identity, i32)>,
    /// Brokers know that numbering: they acknowledged a batch of it.
    known: bool,
    /// The broker lost track, or a batch was given up: number anew once all in flight came back.
    renumber: bool,
}

/// Where a record went.
#[derive(Debug)]
pub(crate) struct Appended {
    pub(crate) outcome: Arc<Outcome>,
    pub(crate) index: i32,
    /// Whether there is something for the sender to look at.
    pub(crate) wake: bool,
}

/// A batch to send now.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) partition: TopicPartition,
    pub(crate) batch: Batch,
    pub(crate) bytes: Bytes,
}

/// What to send now, and when to look again.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    pub(crate) by_node: HashMap<NodeId, Vec<Ready>>,
    pub(crate) next: Option<Instant>,
    /// Partitions with something to send and no known leader.
    pub(crate) leaderless: Vec<TopicPartition>,
}

/// How an attempt went.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The broker has the batch.
    Written(Written),
    /// It refused it, or the request was lost.
    Failed(ClientError),
}

impl Accumulator {
    pub(crate) fn new(config: ProducerConfig, retry_backoff: Duration) -> Self {
        Self { config, retry_backoff, queues: HashMap::new(), identity: None, next_order: 0 }
    }

    /// Whether an identity has to be fetched before anything can be sent.
    pub(crate) fn needs_identity(&self) -> bool {
        self.config.is_idempotent() && self.identity.is_none() && self.queues.values().any(Queue::has_any)
    }

    pub(crate) const fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// Adds a record.
    pub(crate) fn append(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        timestamp: TimestampMs,
        record: &ProducerRecord,
        memory: Option<OwnedSemaphorePermit>,
    ) -> Result<Appended, RecordsError> {
        let queue = match self.queues.entry(partition.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Queue::default()),
        };
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let size = BatchBuilder::size_of(key, value, &record.headers);
        let fits = |b: &mut Batch| b.builder().is_some_and(|b| b.size() + size <= self.config.batch_size);
        if let Some(full) = queue.open.take_if(|open| open.count > 0 && !fits(open)) {
            queue.waiting.push_back(full);
        }
        let was_empty = queue.open.is_none();
        let order = &mut self.next_order;
        let compression = self.config.compression;
        let batch = queue.open.get_or_insert_with(|| {
            *order += 1;
            Batch::new(*order, now, BatchBuilder::new().compression(compression))
        });
        let Some(builder) = batch.builder() else {
            // Only batches that left `open` are built.
            return Err(RecordsError::BatchFull { what: "a sent batch", found: 1, limit: 0 });
        };
        let index = builder.append(timestamp, key, value, &record.headers)?;
        let full = builder.size() >= self.config.batch_size;
        batch.count += 1;
        batch.hold(memory);
        let outcome = Arc::clone(&batch.outcome);
        Ok(Appended { outcome, index, wake: was_empty || full })
    }

    /// Closes all open batches and gives the outcome of every batch that is not done.
    pub(crate) fn flush(&mut self) -> Vec<Arc<Outcome>> {
        let mut outcomes = Vec::new();
        for queue in self.queues.values_mut() {
            queue.waiting.extend(queue.open.take());
            outcomes.extend(queue.waiting.iter().map(|b| Arc::clone(&b.outcome)));
            outcomes.extend(queue.in_flight.values().map(Arc::clone));
        }
        outcomes
    }

    /// Takes out what is to be sent now: at most one batch per partition, to nodes that `accepts` approves.
    pub(crate) fn drain(
        &mut self,
        now: Instant,
        leader: impl Fn(&TopicPartition) -> Option<NodeId>,
        accepts: impl Fn(NodeId) -> bool,
    ) -> Drained {
        let mut drained = Drained::default();
        if self.config.is_idempotent() && self.identity.is_none() {
            drained.next = self.next_expiry();
            return drained;
        }
        for (partition, queue) in &mut self.queues {
            match queue.due(now, &self.config) {
                Due::Now => {}
                Due::At(at) => {
                    drained.next = earliest(drained.next, at);
                    continue;
                }
                Due::OnAnswer => continue,
            }
            let Some(node) = leader(partition) else {
                drained.leaderless.push(partition.clone());
                continue;
            };
            // What the former leader has not answered may have to be sent to this one, which knows a repetition only as long as
            // nothing much came after it.
            let is_moving = !queue.in_flight.is_empty() && queue.sent_to != Some(node);
            if is_moving || !accepts(node) {
                continue;
            }
            queue.sent_to = Some(node);
            queue.settling = false;
            queue.not_before = None;
            match queue.take(self.identity) {
                Some(Ok((batch, bytes))) => {
                    let ready = Ready { partition: partition.clone(), batch, bytes };
                    drained.by_node.entry(node).or_default().push(ready);
                    // There may be another batch that can go right behind.
                    drained.next = earliest(drained.next, now);
                }
                Some(Err((batch, error))) => {
                    let what = format!("records for {partition}");
                    let error = ClientError::Broker {
                        what,
                        code: ErrorCode::INVALID_RECORD,
                        message: error.to_string(),
                    };
                    batch.outcome.set(Err(error));
                }
                None => {}
            }
        }
        drained.next = match self.next_expiry() {
            Some(at) => earliest(drained.next, at),
            None => drained.next,
        };
        drained
    }

    /// Takes a batch back that was sent. Returns whether metadata should be refreshed.
    pub(crate) fn complete(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        batch: Batch,
        attempt: Attempt,
    ) -> bool {
        let queue = self.queues.entry(partition.clone()).or_default();
        queue.in_flight.remove(&batch.order);
        let error = match attempt {
            Attempt::Written(written) => {
                queue.known = true;
                queue.forget_resolved();
                batch.outcome.set(Ok(written));
                return false;
            }
            Attempt::Failed(error) => error,
        };
        let code = error.code();
        if code == Some(ErrorCode::DUPLICATE_SEQUENCE_NUMBER) {
            // An earlier attempt was written, so long ago that the broker forgot its offset.
            queue.forget_resolved();
            batch.outcome.set(Ok(Written { base_offset: None, append_time: None }));
            return false;
        }
        let lost_track = matches!(
            code,
            Some(
                ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER
                    | ErrorCode::UNKNOWN_PRODUCER_ID
                    | ErrorCode::INVALID_PRODUCER_EPOCH
            )
        );
        let numbered = batch.sequence.is_some();
        let in_time = now < batch.created + self.config.delivery_timeout;
        if in_time && (error.is_retriable() || (lost_track && numbered)) {
            // Behind a batch that failed, "out of order" says only that.
            if lost_track && queue.is_first(batch.order) {
                queue.renumber = true;
            }
            queue.settling = true;
            queue.not_before = Some(now + self.retry_backoff);
            queue.put_back(batch);
            return !lost_track;
        }
        if numbered {
            queue.renumber = true;
            queue.settling = true;
        }
        queue.forget_resolved();
        batch.outcome.set(Err(error));
        false
    }

    /// Before [`Accumulator::drain`]: gives up what took too long, and raises the epoch for partitions that
    /// have to number anew.
    pub(crate) fn prepare(&mut self, now: Instant) -> Result<(), RecordsError> {
        self.expire(now);
        let Some(identity) = self.identity else { return Ok(()) };
        let mut settled: Vec<_> =
            self.queues.values_mut().filter(|q| q.renumber && q.in_flight.is_empty()).collect();
        if settled.is_empty() {
            return Ok(());
        }
        let Some(epoch) = identity.epoch.0.checked_add(1) else {
            // It has had all its epochs; a new one comes from a broker.
            self.identity = None;
            return Ok(());
        };
        let identity = Identity { epoch: ProducerEpoch(epoch), ..identity };
        self.identity = Some(identity);
        for queue in &mut settled {
            queue.renumber = false;
            let mut next = 0;
            for batch in queue.waiting.iter_mut().filter(|b| b.sequence.is_some()) {
                batch.restamp(identity, next)?;
                next = add_sequence(next, batch.count);
            }
            queue.numbering = Some((identity, next));
            queue.known = false;
        }
        Ok(())
    }

    /// Fails everything, because the producer cannot go on.
    pub(crate) fn fail_all(&mut self, error: &ClientError) {
        for (_, mut queue) in self.queues.drain() {
            queue.waiting.extend(queue.open.take());
            for batch in queue.waiting {
                batch.outcome.set(Err(error.clone()));
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        let timeout = self.config.delivery_timeout;
        for (partition, queue) in &mut self.queues {
            let old = |b: &Batch| now >= b.created + timeout;
            queue.waiting.extend(queue.open.take_if(|open| old(open)));
            while let Some(batch) = queue.waiting.pop_front_if(|b| old(b)) {
                queue.renumber |= batch.sequence.is_some();
                let what = format!("delivering to {partition}");
                let last = "no broker acknowledged it within delivery.timeout.ms".to_owned();
                batch.outcome.set(Err(ClientError::Timeout { what, after: timeout, last }));
            }
            queue.forget_resolved();
        }
    }

    fn next_expiry(&self) -> Option<Instant> {
        let first = |q: &Queue| q.waiting.front().or(q.open.as_ref()).map(|b| b.created);
        self.queues.values().filter_map(first).min().map(|at| at + self.config.delivery_timeout)
    }
}

/// When a partition has something to send.
enum Due {
    Now,
    At(Instant),
    OnAnswer,
}

impl Queue {
    fn has_any(&self) -> bool {
        self.open.is_some() || !self.waiting.is_empty()
    }

    fn due(&self, now: Instant, config: &ProducerConfig) -> Due {
        let blocked = (self.settling || self.renumber) && !self.in_flight.is_empty();
        // Of a producer that it does not know a broker takes any batch for the first: the others wait for it.
        let most = if config.is_idempotent() && !self.known { 1 } else { config.max_in_flight };
        let repeats = self.waiting.front().is_some_and(|batch| self.sent.contains(&batch.order));
        if blocked || self.renumber || self.in_flight.len() >= most || (!repeats && self.sent.len() >= most) {
            return Due::OnAnswer;
        }
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Due::At(at);
        }
        match (self.waiting.is_empty(), &self.open) {
            (false, _) => Due::Now,
            (true, Some(open)) if now >= open.created + config.linger => Due::Now,
            (true, Some(open)) => Due::At(open.created + config.linger),
            (true, None) => Due::OnAnswer,
        }
    }

    /// The oldest batch, numbered and in flight from now on.
    fn take(&mut self, identity: Option<Identity>) -> Option<Result<(Batch, Bytes), (Batch, RecordsError)>> {
        let mut batch = self.waiting.pop_front().or_else(|| self.open.take())?;
        if let (Some(identity), None) = (identity, batch.sequence) {
            let next = match self.numbering {
                // Another partition's trouble raised the epoch: move on as soon as nothing old is under way.
                Some((old, next)) if old == identity || !self.in_flight.is_empty() => (old, next),
                _ => {
                    self.known = false;
                    (identity, 0)
                }
            };
            batch.sequence = Some(next);
            self.numbering = Some((next.0, add_sequence(next.1, batch.count)));
        }
        match batch.bytes() {
            Ok(bytes) => {
                self.in_flight.insert(batch.order, Arc::clone(&batch.outcome));
                if !self.sent.contains(&batch.order) {
                    self.sent.push_back(batch.order);
                }
                Some(Ok((batch, bytes)))
            }
            Err(error) => {
                self.renumber |= batch.sequence.is_some();
                Some(Err((batch, error)))
            }
        }
    }

    /// A batch has come to its end, or to a new numbering.
    fn forget_resolved(&mut self) {
        let is_open = |order: &u64| {
            self.in_flight.contains_key(order) || self.waiting.iter().any(|batch| batch.order == *order)
        };
        while self.sent.pop_front_if(|order| !is_open(order)).is_some() {}
    }

    /// Whether no older batch waits or is in flight.
    fn is_first(&self, order: u64) -> bool {
        let waiting = self.waiting.front().map(|b| b.order);
        let in_flight = self.in_flight.keys().next().copied();
        waiting.into_iter().chain(in_flight).all(|other| other > order)
    }

    fn put_back(&mut self, batch: Batch) {
        let at = self.waiting.partition_point(|b| b.order < batch.order);
        self.waiting.insert(at, batch);
    }
}

fn earliest(a: Option<Instant>, b: Instant) -> Option<Instant> {
    Some(a.map_or(b, |a| a.min(b)))
}
