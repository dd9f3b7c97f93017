//! What the clients of a run did and saw, as a history.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ottla_history::{History, Outcome, Read, Send, Value};
use ottla_types::Offset;

/// Once so much did not come about, the rest is of no use to people.
const MOST_UNMET: usize = 20;

/// Shared by all that take part in a run.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    began: Instant,
    history: Mutex<History>,
    /// What clients were told that is no acknowledgement, and how often.
    errors: Mutex<BTreeMap<String, u64>>,
    acknowledged: AtomicU64,
    writers: AtomicU32,
    is_over: AtomicBool,
}

impl Journal {
    pub(crate) fn begin() -> Self {
        Self(Arc::new(Inner {
            began: Instant::now(),
            history: Mutex::default(),
            errors: Mutex::default(),
            acknowledged: AtomicU64::new(0),
            writers: AtomicU32::new(0),
            is_over: AtomicBool::new(false),
        }))
    }

    /// Since the run began.
    pub(crate) fn now(&self) -> Duration {
        self.0.began.elapsed()
    }

    /// No record and no fault from now on.
    pub(crate) fn finish(&self) {
        self.0.is_over.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_over.load(Ordering::SeqCst)
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.0.acknowledged.load(Ordering::Relaxed)
    }

    /// The number of a writer that there was not before.
    pub(crate) fn new_writer(&self) -> u32 {
        self.0.writers.fetch_add(1, Ordering::Relaxed)
    }

    /// A record is sent; by the index its outcome is told.
    pub(crate) fn sent(&self, partition: i32, value: Value) -> usize {
        let invoked = self.now();
        let mut history = self.history();
        history.sends.push(Send {
            partition,
            value,
            idempotent: true,
            all: true,
            invoked,
            ended: Duration::MAX,
            outcome: Outcome::Unknown,
            out_of_order: false,
        });
        history.sends.len() - 1
    }

    /// What became of a record.
    pub(crate) fn ended(&self, index: usize, outcome: Outcome, out_of_order: bool) {
        let now = self.now();
        if matches!(outcome, Outcome::Ok(_)) {
            self.0.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(send) = self.history().sends.get_mut(index) {
            (send.ended, send.outcome, send.out_of_order) = (now, outcome, out_of_order);
        }
    }

    /// Records that a consumer was given.
    pub(crate) fn read(&self, reads: impl IntoIterator<Item = (i32, Offset, Value)>) {
        let reads = reads.into_iter().map(|(partition, offset, value)| Read { partition, offset, value });
        self.history().reads.extend(reads);
    }

    /// What did not come about, or must not.
    pub(crate) fn unmet(&self, what: String) {
        let unmet = &mut self.history().unmet;
        if unmet.len() < MOST_UNMET && !unmet.contains(&what) {
            unmet.push(what);
        }
    }

    /// A client was told something else than what it asked for.
    pub(crate) fn error(&self, who: &str, error: &ottla_client::ClientError) {
        let text = match error.code() {
            Some(code) => format!("{who}: {}", code.name()),
            None => {
                // Without the names of things, of which there are too many.
                let kind = format!("{error:?}");
                let end = kind.find([' ', '{', '(']).unwrap_or(kind.len());
                format!("{who}: {}", kind.get(..end).unwrap_or_default())
            }
        };
        let mut errors = self.0.errors.lock().unwrap_or_else(PoisonError::into_inner);
        *errors.entry(text).or_default() += 1;
    }

    pub(crate) fn errors(&self) -> BTreeMap<String, u64> {
        self.0.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
