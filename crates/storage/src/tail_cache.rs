//! The newest batches: small ones in memory, so that readers at the tail need no file, of large ones the place only: the
//! kernel has just cached them, sends them without a copy, and our buffer is free for the next request. Bounded per log,
//! and over all logs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

/// Batches from this size on are sent from their file: to copy them costs more than the system call.
const FROM_FILE_BYTES: usize = 16 * 1024;

/// The bound over all logs of a directory. The oldest batch goes first, whichever log it is of.
#[derive(Debug)]
pub(crate) struct TailCache {
    limit: usize,
    used: AtomicUsize,
    oldest_first: Mutex<Queue>,
}

/// Slots in the order of their appends. Logs take their own oldest batches away, which leaves empty slots behind.
#[derive(Debug, Default)]
struct Queue {
    slots: VecDeque<Arc<Slot>>,
    /// Empty slots are swept out when there are so many.
    sweep_at: usize,
}

/// Fewer slots than this are not worth a sweep.
const SWEEP_FROM: usize = 1024;

/// A batch that may be taken away at any time.
#[derive(Debug)]
pub(crate) struct Slot {
    size: usize,
    /// The batch: a copy, so that it does not keep its whole request in memory.
    bytes: Mutex<Option<Bytes>>,
}

impl TailCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), oldest_first: Mutex::default() }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn add(&self, head: &[u8], body: &[u8]) -> Arc<Slot> {
        let size = head.len() + body.len();
        let slot = Arc::new(Slot { size, bytes: Mutex::new(Some([head, body].concat().into())) });
        let mut used = self.used.fetch_add(size, Ordering::Relaxed) + size;
        let mut queue = self.oldest_first.lock();
        queue.slots.push_back(Arc::clone(&slot));
        if queue.slots.len() >= queue.sweep_at.max(SWEEP_FROM) {
            queue.slots.retain(|slot| !slot.is_empty());
            queue.sweep_at = 2 * queue.slots.len();
        }
        while used > self.limit || queue.slots.front().is_some_and(|slot| slot.is_empty()) {
            let Some(oldest) = queue.slots.pop_front() else { break };
            self.evict(&oldest);
            used = self.used.load(Ordering::Relaxed);
        }
        slot
    }

    fn evict(&self, slot: &Slot) {
        if slot.bytes.lock().take().is_some() {
            self.used.fetch_sub(slot.size, Ordering::Relaxed);
        }
    }
}

impl Slot {
    fn is_empty(&self) -> bool {
        self.bytes.lock().is_none()
    }

    fn get(&self) -> Option<Bytes> {
        self.bytes.lock().clone()
    }
}

/// One log's newest batches, contiguous up to the log's end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: VecDeque<TailBatch>,
    bytes: usize,
}

/// Where a batch is, and its bytes if they are kept.
#[derive(Debug)]
pub(crate) struct TailBatch {
    pub(crate) base: i64,
    pub(crate) next: i64,
    pub(crate) segment: i64,
    pub(crate) position: u64,
    pub(crate) size: usize,
    slot: Option<Arc<Slot>>,
}

/// How a batch of the tail can be read.
#[derive(Debug)]
pub(crate) enum Held {
    /// From here.
    Memory(Bytes),
    /// From its place in the segment.
    File,
    /// It was here, and was pushed out: it may have left the page cache too.
    Evicted,
}

impl TailBatch {
    pub(crate) fn held(&self) -> Held {
        match self.slot.as_ref().map(|slot| slot.get()) {
            None => Held::File,
            Some(Some(bytes)) => Held::Memory(bytes),
            Some(None) => Held::Evicted,
        }
    }

    fn is_evicted(&self) -> bool {
        self.slot.as_ref().is_some_and(|slot| slot.is_empty())
    }
}

impl Tail {
    pub(crate) fn push(
        &mut self,
        shared: &TailCache,
        limit: usize,
        (base, next): (i64, i64),
        (segment, position): (i64, u64),
        head: &[u8],
        body: &[u8],
    ) {
        let size = head.len() + body.len();
        if size > limit {
            self.clear(shared);
            return;
        }
        while self.bytes + size > limit {
            self.pop_oldest(shared);
        }
        let slot = (size < FROM_FILE_BYTES).then(|| shared.add(head, body));
        self.bytes += size;
        self.batches.push_back(TailBatch { base, next, segment, position, size, slot });
        // What others' batches pushed out need not be remembered.
        while self.batches.front().is_some_and(TailBatch::is_evicted) {
            self.pop_oldest(shared);
        }
    }

    /// The batches from the one that holds `offset` on; nothing if it is older than the tail.
    pub(crate) fn from(&self, offset: i64) -> impl Iterator<Item = &TailBatch> {
        let known = self.batches.front().is_some_and(|first| first.base <= offset);
        let start =
            if known { self.batches.partition_point(|b| b.next <= offset) } else { self.batches.len() };
        self.batches.range(start..)
    }

    pub(crate) fn clear(&mut self, shared: &TailCache) {
        while !self.batches.is_empty() {
            self.pop_oldest(shared);
        }
        self.batches = VecDeque::new();
    }

    fn pop_oldest(&mut self, shared: &TailCache) {
        if let Some(oldest) = self.batches.pop_front() {
            self.bytes -= oldest.size;
            if let Some(slot) = oldest.slot {
                shared.evict(&slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(tail: &mut Tail, shared: &TailCache, base: i64, size: usize) {
        let body = Bytes::from(vec![7; size - 16]);
        tail.push(shared, 1000, (base, base + 1), (0, 0), &[0; 16], &body);
    }

    fn bases(tail: &Tail, from: i64) -> Vec<i64> {
        tail.from(from).map(|b| b.base).collect()
    }

    #[test]
    fn a_log_keeps_its_newest_batches() {
        let shared = TailCache::new(10_000);
        let mut tail = Tail::default();
        for base in 0..10 {
            push(&mut tail, &shared, base, 300);
        }
        assert_eq!(bases(&tail, 8), [8, 9]);
        assert_eq!(bases(&tail, 7), [7, 8, 9]);
        assert!(bases(&tail, 6).is_empty(), "older than the tail");
        assert_eq!(shared.used(), 900);
        tail.clear(&shared);
        assert_eq!(shared.used(), 0);
    }

    #[test]
    fn all_logs_share_one_bound_and_the_oldest_goes_first() {
        let shared = TailCache::new(1000);
        let (mut a, mut b) = (Tail::default(), Tail::default());
        push(&mut a, &shared, 0, 400);
        push(&mut b, &shared, 0, 400);
        push(&mut b, &shared, 1, 400);
        assert!(a.from(0).all(|batch| matches!(batch.held(), Held::Evicted)));
        assert!(b.from(0).all(|batch| matches!(batch.held(), Held::Memory(..))));
        assert_eq!(shared.used(), 800);
    }

    #[test]
    fn of_a_large_batch_only_the_place_is_known() {
        let shared = TailCache::new(10_000);
        let mut tail = Tail::default();
        let body = Bytes::from(vec![7; FROM_FILE_BYTES]);
        tail.push(&shared, 1 << 20, (0, 1), (0, 0), &[0; 16], &body);
        assert!(tail.from(0).all(|batch| matches!(batch.held(), Held::File)));
        assert_eq!(shared.used(), 0);
    }

    #[test]
    fn a_batch_over_the_bound_is_not_kept() {
        let shared = TailCache::new(10_000);
        let mut tail = Tail::default();
        push(&mut tail, &shared, 0, 500);
        push(&mut tail, &shared, 1, 2000);
        assert!(bases(&tail, 1).is_empty());
        assert_eq!(shared.used(), 0);
    }
}
