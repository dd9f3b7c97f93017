//! What a replicated shard is.

use std::fmt;

use ottla_env::Monotonic;
use ottla_types::{Offset, ProducerId, TimestampMs};

use crate::effects::{Effects, KeyValueRecord, RequestId};

/// Both clocks at the moment of a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Monotonic,
    /// For what is written to the log, milliseconds since the Unix epoch.
    pub wall_ms: TimestampMs,
}

/// A state machine whose durable state is what its log says. See the crate's rules.
pub trait Shard {
    /// What is asked.
    type Request;
    /// What is answered.
    type Response;
    /// Names a timer of this shard.
    type Timer: Clone + Ord + fmt::Debug;
    /// What soft change presumed an append.
    type Undo;

    /// Decides. May change soft state; durable state only by the returned records. A request that is
    /// not answered in the returned effects is parked, and is answered exactly once by later ones.
    fn handle(&mut self, now: Now, id: RequestId, request: Self::Request) -> EffectsOf<Self>;

    /// The timer `key` passed its deadline and is no longer set. One that was superseded meanwhile
    /// changes nothing.
    fn timer(&mut self, now: Now, key: Self::Timer) -> EffectsOf<Self>;

    /// Takes over the record at `offset`: at load and after a successful local append. `producer` is set
    /// when it is part of a transaction, and then takes effect with [`Shard::replay_transaction_end`].
    /// Records of unknown type are ignored.
    fn replay(
        &mut self,
        offset: Offset,
        producer: Option<ProducerId>,
        record: &KeyValueRecord,
    ) -> Result<(), ReplayError>;

    /// A transaction marker of `producer` is in the log. Shards without transactional records ignore it.
    fn replay_transaction_end(&mut self, producer: ProducerId, result: TransactionResult) {
        let _ = (producer, result);
    }

    /// The whole log is replayed and this node is the leader: starts timers.
    fn loaded(&mut self, now: Now) -> EffectsOf<Self>;

    /// Until now requests were refused and timers stood still: this node could not be sure to lead. Whoever the shard waits for has
    /// its whole time again, as after a load.
    fn resumed(&mut self, now: Now) -> EffectsOf<Self>;

    /// The records of `failed` did not get into the log, so nothing of it was done. Mends soft state and
    /// returns what to do instead, without records: a reply for each in `failed`, and its timers.
    fn append_failed(&mut self, now: Now, failed: EffectsOf<Self>, failure: &Failure) -> EffectsOf<Self>;

    /// This node is no longer the leader: answers every parked request. The shard is dropped next.
    fn unload(&mut self) -> EffectsOf<Self>;

    /// The response to a request that the frame gives up on.
    fn refuse(failure: &Failure) -> Self::Response;
}

/// The effects of a shard's decision.
pub type EffectsOf<S> = Effects<<S as Shard>::Response, <S as Shard>::Timer, <S as Shard>::Undo>;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionResult {
    /// Its records take effect.
    Commit,
    /// Its records never happened.
    Abort,
}

/// Why a decided request cannot be answered as decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The partition has another leader.
    #[error("this broker does not lead the partition; look the coordinator up again")]
    NotLeader,
    /// Fewer replicas are in sync than `min.insync.replicas`.
    #[error("too few replicas of the internal topic are in sync; retry when more brokers are up")]
    NotEnoughReplicas,
    /// The batch exceeds the topic's `max.message.bytes`.
    #[error("the batch of {len} bytes is larger than the internal topic allows; raise its max.message.bytes")]
    RecordTooLarge {
        /// The batch, bytes.
        len: usize,
    },
    /// The log directory is offline.
    #[error("the log directory of the partition failed; look the coordinator up again")]
    Storage,
    /// Appended, but not replicated within `offsets.commit.timeout.ms`. It may still take effect.
    #[error("the in-sync replicas did not acknowledge in time; retry")]
    CommitTimedOut,
    /// The shard was unloaded.
    #[error("the coordinator moved to another broker; look it up again")]
    Unloaded,
}

/// A record of a known type that this version cannot read. The shard cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record at offset {offset} cannot be read: {reason}; was it written by a newer version?")]
pub struct ReplayError {
    /// Where it is.
    pub offset: Offset,
    /// What is wrong with it.
    pub reason: String,
}
