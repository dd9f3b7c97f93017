//! The newest batches: small ones in memory, so that readers at the tail need no file, of large ones the place only: the
//! kernel has just cached them, sends them without a copy, and our buffer is free for the next request. Bounded per log,
//! and over all logs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

/// Batches from this size on are sent from their file: to copy them costs more than the system call.
const FROM_FILE_BYTES: usize = 16 * 1024;

/// A chunk grows to this, bytes, or to an eighth of what its log may keep.
const MAX_CHUNK: usize = 32 * 1024;

/// The bound over all logs of a directory. The oldest chunk goes first, whichever log it is of.
#[derive(Debug)]
pub(crate) struct TailCache {
    limit: usize,
    used: AtomicUsize,
    oldest_first: Mutex<Queue>,
}

/// Chunks in the order of their first appends. Logs take their own oldest ones away, which leaves empty ones behind.
#[derive(Debug, Default)]
struct Queue {
    chunks: VecDeque<Arc<Chunk>>,
    /// Empty chunks are swept out when there are so many.
    sweep_at: usize,
}

/// Fewer chunks than this are not worth a sweep.
const SWEEP_FROM: usize = 1024;

/// Successive small batches of one log, in one piece of memory. It may be taken away at any time.
#[derive(Debug)]
pub(crate) struct Chunk {
    capacity: usize,
    room: Mutex<Option<Room>>,
}

#[derive(Debug)]
struct Room {
    free: BytesMut,
    /// The batches: copies, so that they do not keep whole requests in memory.
    batches: Vec<Bytes>,
}

impl TailCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), oldest_first: Mutex::default() }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn add_chunk(&self, capacity: usize) -> Arc<Chunk> {
        let room = Room { free: BytesMut::with_capacity(capacity), batches: Vec::new() };
        let chunk = Arc::new(Chunk { capacity, room: Mutex::new(Some(room)) });
        let mut used = self.used.fetch_add(capacity, Ordering::Relaxed) + capacity;
        let mut queue = self.oldest_first.lock();
        if queue.chunks.len() >= queue.sweep_at.max(SWEEP_FROM) {
            queue.chunks.retain(|chunk| !chunk.is_empty());
            queue.sweep_at = 2 * queue.chunks.len();
        }
        while used > self.limit || queue.chunks.front().is_some_and(|chunk| chunk.is_empty()) {
            let Some(oldest) = queue.chunks.pop_front() else { break };
            self.evict(&oldest);
            used = self.used.load(Ordering::Relaxed);
        }
        queue.chunks.push_back(Arc::clone(&chunk));
        chunk
    }

    fn evict(&self, chunk: &Chunk) {
        if chunk.room.lock().take().is_some() {
            self.used.fetch_sub(chunk.capacity, Ordering::Relaxed);
        }
    }
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.room.lock().is_none()
    }

    /// Adds a batch if there is room, and says where it is.
    fn put(&self, head: &[u8], body: &[u8]) -> Option<usize> {
        let mut room = self.room.lock();
        let room = room.as_mut().filter(|room| room.free.capacity() >= head.len() + body.len())?;
        room.free.extend_from_slice(head);
        room.free.extend_from_slice(body);
        room.batches.push(room.free.split().freeze());
        Some(room.batches.len() - 1)
    }

    fn get(&self, index: usize) -> Option<Bytes> {
        self.room.lock().as_ref()?.batches.get(index).cloned()
    }
}

/// One log's newest batches, contiguous up to the log's end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: VecDeque<TailBatch>,
    bytes: usize,
    /// What the next small batch goes into, if it fits.
    open: Option<Arc<Chunk>>,
}

/// Where a batch is, and its bytes if they are kept.
#[derive(Debug)]
pub(crate) struct TailBatch {
    pub(crate) base: i64,
    pub(crate) next: i64,
    pub(crate) segment: i64,
    pub(crate) position: u64,
    pub(crate) size: usize,
    /// Its chunk, and its place there.
    kept: Option<(Arc<Chunk>, usize)>,
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
        match self.kept.as_ref().map(|(chunk, index)| chunk.get(*index)) {
            None => Held::File,
            Some(Some(bytes)) => Held::Memory(bytes),
            Some(None) => Held::Evicted,
        }
    }

    fn is_evicted(&self) -> bool {
        self.kept.as_ref().is_some_and(|(chunk, _)| chunk.is_empty())
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
        let kept = if size < FROM_FILE_BYTES { self.keep(shared, limit, head, body) } else { None };
        self.bytes += size;
        self.batches.push_back(TailBatch { base, next, segment, position, size, kept });
        // What others' batches pushed out need not be remembered.
        while self.batches.front().is_some_and(TailBatch::is_evicted) {
            self.pop_oldest(shared);
        }
    }

    fn keep(
        &mut self,
        shared: &TailCache,
        limit: usize,
        head: &[u8],
        body: &[u8],
    ) -> Option<(Arc<Chunk>, usize)> {
        if let Some(open) = &self.open
            && let Some(index) = open.put(head, body)
        {
            return Some((Arc::clone(open), index));
        }
        // A log that gets few batches holds no more than these; a busy one soon has large chunks.
        let size = head.len() + body.len();
        let larger = self.open.as_ref().map_or(size, |full| 2 * full.capacity);
        let chunk = shared.add_chunk(larger.min(MAX_CHUNK).min(limit / 8).max(size));
        let index = chunk.put(head, body)?;
        self.open = Some(Arc::clone(&chunk));
        Some((chunk, index))
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
        self.open = None;
    }

    fn pop_oldest(&mut self, shared: &TailCache) {
        let Some(oldest) = self.batches.pop_front() else { return };
        self.bytes -= oldest.size;
        let next = self.batches.iter().find_map(|batch| batch.kept.as_ref());
        if let Some((chunk, _)) = oldest.kept
            && next.is_none_or(|(next, _)| !Arc::ptr_eq(next, &chunk))
        {
            shared.evict(&chunk);
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
    fn a_busy_log_keeps_many_batches_in_one_piece_of_memory() {
        let shared = TailCache::new(1 << 20);
        let mut tail = Tail::default();
        let body = [7; 84];
        for base in 0..1000 {
            tail.push(&shared, 1 << 19, (base, base + 1), (0, 0), &[0; 16], &body);
        }
        let chunks = shared.oldest_first.lock().chunks.len();
        assert!(chunks <= 12 && shared.used() < 160_000, "{chunks} chunks of {} bytes", shared.used());
        for batch in tail.from(0) {
            assert!(matches!(batch.held(), Held::Memory(bytes) if bytes.len() == 100 && bytes[16..] == body));
        }
        while tail.batches.len() > 1 {
            tail.pop_oldest(&shared);
        }
        assert!(shared.used() <= MAX_CHUNK);
        tail.pop_oldest(&shared);
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
