//! The threads that compact logs (`LogCleaner`): each takes the dirtiest log that is due, cleans it outside of its lock, and sleeps
//! for `log.cleaner.backoff.ms` when there is none. What `log.cleaner.*` say may change meanwhile: a thread looks before each log.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ottla_config::CleanerConfig;
use ottla_env::{Clock, Monotonic, RealRng, Rng};
use ottla_storage::{CompactError, OffsetMap, StorageError};
use ottla_types::TopicIdPartition;
use parking_lot::Mutex;

use super::ReplicaManager;
use super::maintenance::Stop;
use super::partition::Partition;

/// How long a log rests at least whose round came to nothing.
const MIN_REST: Duration = Duration::from_secs(1);

/// What the cleaner threads share.
#[derive(Debug, Default)]
pub(crate) struct Cleaner {
    crew: Mutex<Crew>,
    state: Mutex<State>,
}

/// The threads, and what they go by.
#[derive(Debug, Default)]
struct Crew {
    config: Option<CleanerConfig>,
    /// The numbers of the threads there are.
    running: HashSet<usize>,
}

impl Crew {
    /// How many threads there are to be.
    fn wanted(&self) -> usize {
        let config = self.config.as_ref().filter(|config| config.enable);
        config.map_or(0, |config| usize::try_from(config.threads).unwrap_or(0))
    }

    fn share(&self) -> Option<Share> {
        let config = self.config.as_ref()?;
        let among = self.wanted().max(1);
        Some(Share {
            backoff: Duration::from_millis(u64::try_from(config.backoff_ms).unwrap_or(0).max(1)),
            map_bytes: usize::try_from(config.dedupe_buffer_bytes).unwrap_or(0) / among,
            load_factor: config.load_factor,
            bytes_per_second: config.max_bytes_per_second / among as f64,
        })
    }
}

#[derive(Debug, Default)]
struct State {
    /// Being cleaned.
    taken: HashSet<TopicIdPartition>,
    /// Logs that cannot be cleaned until this broker starts again, and why.
    uncleanable: HashMap<TopicIdPartition, String>,
    /// Those whose last round came to nothing, and until when others go first.
    resting: HashMap<TopicIdPartition, Monotonic>,
    counts: CleanerCounts,
    looked_at: Option<Monotonic>,
}

/// What a scrape shows of the cleaner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CleanerCounts {
    /// Logs that cannot be cleaned.
    pub(crate) uncleanable: usize,
    /// The dirty share of the dirtiest log at the last look, percent.
    pub(crate) max_dirty_percent: u64,
    /// What the last round wrote of what it read, percent.
    pub(crate) recopy_percent: u64,
    /// How full the map of keys was in the last round, percent.
    pub(crate) buffer_percent: u64,
    /// How long the last round took.
    pub(crate) last_round: Duration,
    /// Since a thread last looked for work.
    pub(crate) since_look: Duration,
}

/// A thread's share of `log.cleaner.*`.
#[derive(Clone, Copy, Debug)]
struct Share {
    backoff: Duration,
    map_bytes: usize,
    load_factor: f64,
    bytes_per_second: f64,
}

impl Cleaner {
    /// What thread `number` goes by now; `None` if it is one too many: it ends.
    fn share_of(&self, number: usize) -> Option<Share> {
        let mut crew = self.crew.lock();
        if number < crew.wanted() {
            return crew.share();
        }
        crew.running.remove(&number);
        None
    }

    pub(crate) fn counts(&self, now: Monotonic) -> CleanerCounts {
        let state = self.state.lock();
        CleanerCounts {
            uncleanable: state.uncleanable.len(),
            since_look: state.looked_at.map_or(Duration::ZERO, |at| now.since(at)),
            ..state.counts
        }
    }
}

impl ReplicaManager {
    /// Has as many threads as `config` asks for clean as it says. Those that are too many end when they look next.
    pub(crate) fn configure_cleaner(self: &Arc<Self>, config: &CleanerConfig) -> Result<(), std::io::Error> {
        let mut crew = self.cleaner.crew.lock();
        if crew.config.as_ref() == Some(config) {
            return Ok(());
        }
        crew.config = Some(config.clone());
        let mut threads = self.threads.lock();
        threads.retain(|thread| !thread.is_finished());
        for number in 0..crew.wanted() {
            if !crew.running.contains(&number) {
                threads.push(self.start_cleaner(number)?);
                crew.running.insert(number);
            }
        }
        Ok(())
    }

    fn start_cleaner(self: &Arc<Self>, number: usize) -> Result<thread::JoinHandle<()>, std::io::Error> {
        let (manager, stop) = (Arc::downgrade(self), Arc::clone(&self.stop_maintenance));
        let runtime = tokio::runtime::Handle::current();
        let run = move || {
            let _runtime = runtime.enter();
            let mut wait = Duration::ZERO;
            while stop.wait(wait) {
                let Some(manager) = manager.upgrade() else { return };
                let Some(share) = manager.cleaner.share_of(number) else { return };
                // As long as there is work there is no sleep.
                wait = if manager.clean_one(share, &stop) { Duration::ZERO } else { share.backoff };
            }
        };
        thread::Builder::new().name(format!("log-cleaner-{number}")).spawn(run)
    }

    /// Whether there was a log to clean. One that could not be cleaned rests, so that others have their turn.
    fn clean_one(&self, share: Share, stop: &Stop) -> bool {
        let Some(partition) = self.take_dirtiest() else { return false };
        let began = self.clock.now();
        let mut map = OffsetMap::new(share.map_bytes, share.load_factor, RealRng::default().bytes16());
        // A fault costs the cleaning of this log.
        let done = catch_unwind(AssertUnwindSafe(|| self.clean(&partition, &mut map, share, stop)));
        let at = &partition.id().topic_partition;
        let mut state = self.cleaner.state.lock();
        state.taken.remove(partition.id());
        let reason = match done {
            Ok(Ok((read, written))) => {
                state.counts.recopy_percent = written.saturating_mul(100) / read.max(1);
                state.counts.buffer_percent = (map.utilization() * 100.0) as u64;
                state.counts.last_round = self.clock.now().since(began);
                tracing::info!("{at}: compaction kept {written} of {read} bytes");
                return true;
            }
            Ok(Err(CompactError::Storage(e @ StorageError::Damaged { .. }))) => e.to_string(),
            Ok(Err(error)) => {
                if let CompactError::Storage(e) = error {
                    tracing::warn!("{at}: compaction failed, and is tried again: {e}");
                }
                let until = self.clock.now() + share.backoff.max(MIN_REST);
                state.resting.insert(partition.id().clone(), until);
                return true;
            }
            Err(_) => "its compaction panicked; report it".to_owned(),
        };
        tracing::error!("{at} is not compacted until the next start: {reason}");
        state.uncleanable.insert(partition.id().clone(), reason);
        true
    }

    /// The log that is due and of which the largest part is dirty.
    fn take_dirtiest(&self) -> Option<Arc<Partition>> {
        let (now, now_ms) = (self.clock.now(), self.clock.wall_ms());
        let mut best: Option<(f64, Arc<Partition>)> = None;
        let (mut max_ratio, partitions) = (0.0_f64, self.partitions());
        for partition in &partitions {
            let dirtiness = partition.with_log(|log, high_watermark| log.dirtiness(now_ms, high_watermark));
            let dirtiness = dirtiness.unwrap_or_else(|e| {
                tracing::debug!("{}: {e}", partition.id().topic_partition);
                None
            });
            let Some(dirtiness) = dirtiness else { continue };
            let ratio = dirtiness.ratio();
            max_ratio = max_ratio.max(ratio);
            if dirtiness.is_due() && best.as_ref().is_none_or(|(most, _)| ratio > *most) {
                let (id, state) = (partition.id(), self.cleaner.state.lock());
                let is_resting = state.resting.get(id).is_some_and(|until| *until > now);
                if !is_resting && !state.taken.contains(id) && !state.uncleanable.contains_key(id) {
                    best = Some((ratio, Arc::clone(partition)));
                }
            }
        }
        let mut state = self.cleaner.state.lock();
        state.counts.max_dirty_percent = (max_ratio * 100.0) as u64;
        state.looked_at = Some(now);
        state.resting.retain(|_, until| *until > now);
        state.uncleanable.retain(|id, _| partitions.iter().any(|partition| partition.id() == id));
        let (_, partition) = best?;
        // Another thread may have been quicker.
        state.taken.insert(partition.id().clone()).then_some(partition)
    }

    /// One round; bytes read and written.
    fn clean(
        &self,
        partition: &Arc<Partition>,
        map: &mut OffsetMap,
        share: Share,
        stop: &Stop,
    ) -> Result<(u64, u64), CompactError> {
        // Only what is durable is cleaned.
        partition.sync_now();
        let now_ms = self.clock.wall_ms();
        let begun = partition.with_log(|log, high_watermark| log.begin_compaction(now_ms, high_watermark))?;
        let Some(mut round) = begun else { return Err(CompactError::Stopped) };
        let mut pace = Pace {
            clock: &*self.clock,
            stop,
            crew: &self.cleaner.crew,
            bytes_per_second: share.bytes_per_second,
            began: self.clock.now(),
            spent: 0,
        };
        round.read_keys(map, &mut pace)?;
        while let Some(cleaned) = round.clean_next(map, &mut pace)? {
            let Some(swap) = partition.with_log(|log, _| log.swap_in(cleaned)) else { continue };
            swap.run()?;
            partition.with_log(|log, _| log.complete_swap(&swap))?;
        }
        let bytes = round.bytes();
        partition.with_log(|log, _| log.complete_compaction(round));
        Ok(bytes)
    }
}

/// `log.cleaner.io.max.bytes.per.second` as it is now, and the end of it all at a stop.
struct Pace<'a> {
    clock: &'a dyn Clock,
    stop: &'a Stop,
    crew: &'a Mutex<Crew>,
    bytes_per_second: f64,
    /// Since when this many bytes were spent at this rate.
    began: Monotonic,
    spent: u64,
}

impl Pace<'_> {
    /// How much sooner it is than it should be.
    fn ahead(&mut self) -> Duration {
        let rate = self.crew.lock().share().map_or(self.bytes_per_second, |share| share.bytes_per_second);
        if rate != self.bytes_per_second {
            (self.bytes_per_second, self.began, self.spent) = (rate, self.clock.now(), 0);
        }
        let due = Duration::try_from_secs_f64(self.spent as f64 / rate);
        // No sooner than due; beyond what a duration holds, never.
        due.unwrap_or(Duration::MAX).saturating_sub(self.clock.now().since(self.began))
    }
}

impl ottla_storage::Pace for Pace<'_> {
    fn spend(&mut self, bytes: u64) -> bool {
        // Not for each batch.
        const WORTH_SLEEPING: Duration = Duration::from_millis(20);
        /// How long a raised rate may go unnoticed.
        const LOOK_AGAIN: Duration = Duration::from_secs(1);
        self.spent += bytes;
        loop {
            match self.ahead() {
                ahead if ahead < WORTH_SLEEPING => return self.stop.wait(Duration::ZERO),
                ahead if !self.stop.wait(ahead.min(LOOK_AGAIN)) => return false,
                _ => {}
            }
        }
    }
}
