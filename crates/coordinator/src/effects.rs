//! What a decision asks of the host.

use ottla_env::Monotonic;
use ottla_types::Bytes;

/// Names one request between the host, which chose it, and the reply. Unique while the shard is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One record of an internal topic. Without a value it is a tombstone: compaction drops its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyValueRecord {
    /// Version prefix and key.
    pub key: Bytes,
    /// Version prefix and value.
    pub value: Option<Bytes>,
}

/// When a reply may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// When the high watermark reaches the log end offset of the decision.
    Committed,
    /// At once: it says nothing that a failover could take back.
    Immediate,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<R> {
    /// The request: the one just handled or one that was parked.
    pub id: RequestId,
    /// The answer.
    pub response: R,
    /// When it may leave.
    pub gate: Gate,
}

/// What a decision asks of the host, in this order: append `records`, replay them, set `timers`, then let
/// the `replies` go when their gates open. `R` is the response, `T` the timer's name, `U` what
/// [`crate::Shard::append_failed`] needs to mend soft state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects<R, T, U> {
    /// To append as one batch; nothing or all of it.
    pub records: Vec<KeyValueRecord>,
    /// Answers to this request and to parked ones. A parked request is answered by later effects.
    pub replies: Vec<Reply<R>>,
    /// Timers to set to a deadline or, with `None`, to cancel; later entries win.
    pub timers: Vec<(T, Option<Monotonic>)>,
    /// How to mend soft state if `records` cannot be appended.
    pub undo: Option<U>,
}

impl<R, T, U> Default for Effects<R, T, U> {
    fn default() -> Self {
        Self { records: Vec::new(), replies: Vec::new(), timers: Vec::new(), undo: None }
    }
}

impl<R, T, U> Effects<R, T, U> {
    /// Nothing to do.
    pub fn none() -> Self {
        Self::default()
    }

    /// Answers `id` once what was decided on is committed.
    pub fn reply(&mut self, id: RequestId, response: R) {
        self.replies.push(Reply { id, response, gate: Gate::Committed });
    }

    /// Answers `id` without waiting.
    pub fn reply_now(&mut self, id: RequestId, response: R) {
        self.replies.push(Reply { id, response, gate: Gate::Immediate });
    }

    /// Sets the timer `key`, replacing its former deadline.
    pub fn set_timer(&mut self, key: T, deadline: Monotonic) {
        self.timers.push((key, Some(deadline)));
    }

    /// Cancels the timer `key` if it is set.
    pub fn cancel_timer(&mut self, key: T) {
        self.timers.push((key, None));
    }

    /// These effects after their append failed: no records and no undo, the timers as they were, and
    /// every reply replaced by `response`, at once.
    pub fn failed(self, mut response: impl FnMut() -> R) -> Self {
        let replies = self
            .replies
            .into_iter()
            .map(|reply| Reply { id: reply.id, response: response(), gate: Gate::Immediate })
            .collect();
        Self { records: Vec::new(), replies, timers: self.timers, undo: None }
    }
}
