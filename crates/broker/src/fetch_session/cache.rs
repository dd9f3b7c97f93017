//! All sessions of a broker: bounded in number and in the partitions that they hold, the idle ones evicted first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{Monotonic, Rng};
use parking_lot::Mutex;

use super::session::{Answered, FetchPartition, PartitionKey, Session};

const FINAL_EPOCH: i32 = -1;
const INITIAL_EPOCH: i32 = 0;
const NO_SESSION: i32 = 0;
/// Partitions that all sessions together may hold, some 300 bytes each. Whoever finds no room is served without a session.
const MAX_PARTITIONS: usize = 1 << 19;

/// Why a session cannot be continued; the client opens a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchSessionError {
    /// Evicted, closed or never there.
    #[error("there is no fetch session {id}; open a new one")]
    NotFound { id: i32 },
    /// Requests of one session came out of order.
    #[error("fetch session {id} expects epoch {expected}, not {found}; open a new one")]
    InvalidEpoch { id: i32, expected: i32, found: i32 },
    /// A session by topic name cannot go on by topic id, or the other way round.
    #[error("fetch session {id} names topics another way than this request; open a new one")]
    TopicIds { id: i32 },
}

/// How a request is to be answered.
#[derive(Debug)]
pub(crate) struct FetchContext {
    /// What to read, in order.
    pub(crate) partitions: Vec<FetchPartition>,
    /// The id to answer; 0 for none.
    pub(crate) session_id: i32,
    incremental: Option<Arc<Mutex<Session>>>,
    full: Option<Arc<Mutex<Session>>>,
}

impl FetchContext {
    /// Whether the answer for `key` belongs into the response.
    pub(crate) fn includes(&self, key: &PartitionKey, answer: Answered) -> bool {
        if let Some(session) = &self.full {
            session.lock().note_answer(key, answer);
            return true;
        }
        self.incremental.as_ref().is_none_or(|session| session.lock().note_answer(key, answer))
    }
}

/// A broker's fetch sessions.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    max_sessions: usize,
    max_partitions: usize,
    evict_after: Duration,
    inner: Mutex<Inner>,
}

struct Inner {
    sessions: HashMap<i32, Entry>,
    /// Of all sessions together.
    partitions: usize,
    rng: Box<dyn Rng>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("sessions", &self.sessions.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Entry {
    session: Arc<Mutex<Session>>,
    /// How many it held after the last request.
    partitions: usize,
    used_at: Monotonic,
}

impl FetchSessions {
    /// At most `max_sessions` (`max.incremental.fetch.session.cache.slots`); a full cache evicts a session that was
    /// not used for `evict_after` (`min.incremental.fetch.session.eviction.ms`), or opens no new one.
    pub(crate) fn new(max_sessions: usize, evict_after: Duration, rng: Box<dyn Rng>) -> Self {
        let inner = Mutex::new(Inner { sessions: HashMap::new(), partitions: 0, rng });
        Self { max_sessions, max_partitions: MAX_PARTITIONS, evict_after, inner }
    }

    /// How many sessions there are, and how many partitions they hold.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.sessions.len(), inner.partitions)
    }

    /// Finds, opens or closes the session that a request names.
    pub(crate) fn context(
        &self,
        now: Monotonic,
        session_id: i32,
        session_epoch: i32,
        uses_topic_ids: bool,
        partitions: Vec<FetchPartition>,
        forgotten: &[PartitionKey],
    ) -> Result<FetchContext, FetchSessionError> {
        match session_epoch {
            FINAL_EPOCH => {
                self.inner.lock().remove(session_id);
                Ok(sessionless(partitions))
            }
            INITIAL_EPOCH => {
                let mut inner = self.inner.lock();
                inner.remove(session_id);
                if partitions.is_empty() || !self.make_room(&mut inner, now, partitions.len()) {
                    return Ok(sessionless(partitions));
                }
                let id = free_id(&mut inner);
                let state = Session::new(uses_topic_ids, partitions.clone());
                let len = state.len();
                let session = Arc::new(Mutex::new(state));
                inner.partitions += len;
                let entry = Entry { session: Arc::clone(&session), partitions: len, used_at: now };
                inner.sessions.insert(id, entry);
                Ok(FetchContext { partitions, session_id: id, incremental: None, full: Some(session) })
            }
            epoch => self.next(now, session_id, epoch, uses_topic_ids, partitions, forgotten),
        }
    }

    fn next(
        &self,
        now: Monotonic,
        id: i32,
        epoch: i32,
        uses_topic_ids: bool,
        partitions: Vec<FetchPartition>,
        forgotten: &[PartitionKey],
    ) -> Result<FetchContext, FetchSessionError> {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let entry = inner.sessions.get_mut(&id).ok_or(FetchSessionError::NotFound { id })?;
        let session = Arc::clone(&entry.session);
        let mut state = session.lock();
        if state.next_epoch != epoch {
            return Err(FetchSessionError::InvalidEpoch { id, expected: state.next_epoch, found: epoch });
        }
        if state.uses_topic_ids != uses_topic_ids && !(partitions.is_empty() && forgotten.is_empty()) {
            return Err(FetchSessionError::TopicIds { id });
        }
        entry.used_at = now;
        state.next_epoch = Session::next_epoch_after(epoch);
        state.update(partitions, forgotten);
        let partitions = state.partitions();
        drop(state);
        inner.partitions = inner.partitions - entry.partitions + partitions.len();
        entry.partitions = partitions.len();
        if partitions.is_empty() {
            inner.remove(id);
            return Ok(sessionless(partitions));
        }
        if inner.partitions > self.max_partitions {
            inner.remove(id);
            return Err(FetchSessionError::NotFound { id });
        }
        Ok(FetchContext { partitions, session_id: id, incremental: Some(session), full: None })
    }

    /// Whether there is room for a session of `partitions`, if need be after the longest idle one has gone.
    fn make_room(&self, inner: &mut Inner, now: Monotonic, partitions: usize) -> bool {
        let fits = |inner: &Inner| {
            inner.sessions.len() < self.max_sessions && inner.partitions + partitions <= self.max_partitions
        };
        if fits(inner) {
            return true;
        }
        let oldest = inner.sessions.iter().min_by_key(|(_, e)| e.used_at).map(|(&id, e)| (id, e.used_at));
        if let Some((id, used_at)) = oldest
            && now.since(used_at) >= self.evict_after
        {
            inner.remove(id);
        }
        fits(inner)
    }
}

impl Inner {
    fn remove(&mut self, id: i32) {
        if let Some(entry) = self.sessions.remove(&id) {
            self.partitions -= entry.partitions;
        }
    }
}

fn sessionless(partitions: Vec<FetchPartition>) -> FetchContext {
    FetchContext { partitions, session_id: NO_SESSION, incremental: None, full: None }
}

fn free_id(inner: &mut Inner) -> i32 {
    loop {
        let id = (inner.rng.next_u64() >> 33) as i32;
        if id != NO_SESSION && !inner.sessions.contains_key(&id) {
            return id;
        }
    }
}

#[cfg(test)]
#[path = "cache_test.rs"]
mod tests;
