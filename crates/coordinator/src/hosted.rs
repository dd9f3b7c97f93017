//! A shard with its timers and waiting replies: what the host keeps under one lock.

use std::time::Duration;

use ottla_env::Monotonic;
use ottla_types::{Offset, ProducerId};

use crate::effects::{Gate, KeyValueRecord, RequestId};
use crate::pending::PendingReplies;
use crate::shard::{EffectsOf, Failure, Now, ReplayError, Shard, TransactionResult};
use crate::timers::TimerQueue;

/// The shard's partition, as its leader sees it. The host implements it over its log.
pub trait ShardLog {
    /// Appends `records` as one batch: all of them or none. Does not wait for replicas or disk.
    fn append(&mut self, now: Now, records: &[KeyValueRecord]) -> Result<Appended, Failure>;
    /// The next offset to be appended.
    fn log_end_offset(&self) -> Offset;
    /// Up to here, exclusive, records are acknowledged.
    fn high_watermark(&self) -> Offset;
}

/// Where a batch went: its records have consecutive offsets from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The first record's offset.
    pub base_offset: Offset,
}

/// Replies that may leave now.
type Replies<S> = Vec<(RequestId, <S as Shard>::Response)>;

/// A shard with its timers and waiting replies. Synchronous; the host holds a lock around each call.
#[derive(Debug)]
pub struct HostedShard<S: Shard> {
    shard: S,
    timers: TimerQueue<S::Timer>,
    pending: PendingReplies<S::Response>,
    commit_timeout: Duration,
}

impl<S: Shard> HostedShard<S> {
    /// Hosts `shard`, which is empty. A reply that waits longer than `commit_timeout`
    /// (`offsets.commit.timeout.ms`) for the high watermark becomes [`Failure::CommitTimedOut`].
    pub fn new(shard: S, commit_timeout: Duration) -> Self {
        Self { shard, timers: TimerQueue::default(), pending: PendingReplies::default(), commit_timeout }
    }

    /// The shard, for metrics and other facts that need not be committed.
    pub fn shard(&self) -> &S {
        &self.shard
    }

    /// Takes over a record that is in the log when this node becomes the leader.
    pub fn load(
        &mut self,
        offset: Offset,
        producer: Option<ProducerId>,
        record: &KeyValueRecord,
    ) -> Result<(), ReplayError> {
        self.shard.replay(offset, producer, record)
    }

    /// Takes over a transaction marker: at load, and whenever one is appended.
    pub fn transaction_end(&mut self, producer: ProducerId, result: TransactionResult) {
        self.shard.replay_transaction_end(producer, result);
    }

    /// The whole log is loaded: starts the shard's timers.
    pub fn loaded(&mut self, now: Now, log: &mut impl ShardLog) -> Result<Replies<S>, ReplayError> {
        let effects = self.shard.loaded(now);
        self.perform(now, log, effects)
    }

    /// Decides `request` and does what follows from it. After an error, [`HostedShard::unload`].
    pub fn handle(
        &mut self,
        now: Now,
        log: &mut impl ShardLog,
        id: RequestId,
        request: S::Request,
    ) -> Result<Replies<S>, ReplayError> {
        let effects = self.shard.handle(now, id, request);
        self.perform(now, log, effects)
    }

    /// Fires the timers that are due and gives up replies that waited too long.
    pub fn fire(&mut self, now: Now, log: &mut impl ShardLog) -> Result<Replies<S>, ReplayError> {
        let mut replies = Vec::new();
        // One may set itself to now again: it has its turn at the next call.
        for _ in 0..self.timers.due(now.monotonic) {
            let Some(key) = self.timers.pop_due(now.monotonic) else { break };
            let effects = self.shard.timer(now, key);
            replies.append(&mut self.perform(now, log, effects)?);
        }
        replies.append(&mut self.expire(now));
        Ok(replies)
    }

    /// Gives up replies that waited too long for the high watermark, and fires nothing.
    pub fn expire(&mut self, now: Now) -> Replies<S> {
        let timed_out = self.pending.expire(now.monotonic, self.commit_timeout);
        timed_out.map(|id| (id, S::refuse(&Failure::CommitTimedOut))).collect()
    }

    /// Requests reach this shard again, which were refused for a while. Call it before [`HostedShard::fire`].
    pub fn resume(&mut self, now: Now, log: &mut impl ShardLog) -> Result<Replies<S>, ReplayError> {
        let effects = self.shard.resumed(now);
        self.perform(now, log, effects)
    }

    /// The high watermark is at `hw`.
    pub fn release(&mut self, hw: Offset) -> Replies<S> {
        self.pending.release(hw).collect()
    }

    /// When [`HostedShard::fire`] has something to do next.
    pub fn next_deadline(&self) -> Option<Monotonic> {
        let reply = self.pending.oldest().map(|since| since + self.commit_timeout);
        [self.timers.next_deadline(), reply].into_iter().flatten().min()
    }

    /// This node is no longer the leader: an answer for each request that still waits.
    pub fn unload(mut self) -> Replies<S> {
        let parked = self.shard.unload().replies.into_iter().map(|reply| (reply.id, reply.response));
        let uncommitted = self.pending.drain().map(|id| (id, S::refuse(&Failure::Unloaded)));
        parked.chain(uncommitted).collect()
    }

    fn perform(
        &mut self,
        now: Now,
        log: &mut impl ShardLog,
        effects: EffectsOf<S>,
    ) -> Result<Replies<S>, ReplayError> {
        let effects = self.append(now, log, effects)?;
        for (key, deadline) in effects.timers {
            self.timers.set(key, deadline);
        }
        let decided_at = log.log_end_offset();
        let mut replies = Vec::new();
        for reply in effects.replies {
            match reply.gate {
                Gate::Immediate => replies.push((reply.id, reply.response)),
                Gate::Committed => self.pending.hold(decided_at, now.monotonic, reply.id, reply.response),
            }
        }
        replies.extend(self.pending.release(log.high_watermark()));
        Ok(replies)
    }

    /// Appends and replays the records of `effects`; what remains to be done.
    fn append(
        &mut self,
        now: Now,
        log: &mut impl ShardLog,
        effects: EffectsOf<S>,
    ) -> Result<EffectsOf<S>, ReplayError> {
        if effects.records.is_empty() {
            return Ok(effects);
        }
        match log.append(now, &effects.records) {
            Ok(Appended { base_offset }) => {
                let mut offset = base_offset;
                for record in &effects.records {
                    self.shard.replay(offset, None, record)?;
                    offset = offset.next();
                }
                Ok(effects)
            }
            Err(failure) => {
                let instead = self.shard.append_failed(now, effects, &failure);
                debug_assert!(instead.records.is_empty(), "what follows a failed append appends nothing");
                Ok(instead)
            }
        }
    }
}

#[cfg(test)]
#[path = "hosted_test.rs"]
mod tests;
