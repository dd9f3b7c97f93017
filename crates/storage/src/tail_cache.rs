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

/// Smaller batches share a chunk of memory with their neighbours, and are copied out of it: whoever keeps one keeps no more
/// than that. Larger ones have a chunk for themselves, which readers share.
const SHARED_BELOW: usize = MAX_CHUNK / 4;
/// A shared chunk is no larger than this, bytes, nor than an eighth of what its log may keep; unless one batch is.
const MAX_CHUNK: usize = 8 * 1024;

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

/// Memory for one batch, or for successive small ones of one log. It may be taken away at any time.
#[derive(Debug)]
pub(crate) struct Chunk {
    capacity: usize,
    room: Mutex<Option<Room>>,
}

/// Copies of batches, so that they do not keep whole requests in memory.
#[derive(Debug)]
enum Room {
    Own(Bytes),
    Shared(Vec<u8>),
}

impl TailCache {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), oldest_first: Mutex::default() }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn add_chunk(&self, room: Room, capacity: usize) -> Arc<Chunk> {
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

    /// Adds a batch if it is a shared chunk and has room, and says where the batch starts.
    fn put(&self, head: &[u8], body: &[u8]) -> Option<usize> {
        let Some(Room::Shared(bytes)) = &mut *self.room.lock() else { return None };
        let start = bytes.len();
        if start + head.len() + body.len() > self.capacity {
            return None;
        }
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(body);
        Some(start)
    }

    fn read(&self, start: usize, size: usize, into: &mut Gathered) -> Option<()> {
        match self.room.lock().as_ref()? {
            Room::Own(bytes) => into.push(bytes.clone()),
            Room::Shared(bytes) => into.small.extend_from_slice(bytes.get(start..start + size)?),
        }
        Some(())
    }
}

/// What was read of batches in memory: successive small ones are one piece.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pieces: Vec<Bytes>,
    small: Vec<u8>,
}

impl Gathered {
    fn push(&mut self, bytes: Bytes) {
        self.end_piece();
        self.pieces.push(bytes);
    }

    fn end_piece(&mut self) {
        if !self.small.is_empty() {
            self.pieces.push(std::mem::take(&mut self.small).into());
        }
    }

    /// The pieces so far, in order.
    pub(crate) fn take(&mut self) -> Vec<Bytes> {
        self.end_piece();
        std::mem::take(&mut self.pieces)
    }
}

/// One log's newest batches, contiguous up to the log's end.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    batches: VecDeque<TailBatch>,
    bytes: usize,
    /// The shared chunk that the next small batch goes into, if it fits.
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
    /// Its chunk, and where it starts there.
    kept: Option<(Arc<Chunk>, usize)>,
}

/// How a batch of the tail can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// From memory: it has been.
    Memory,
    /// From its place in the segment.
    File,
    /// It was in memory, and was pushed out: it may have left the page cache too.
    Evicted,
}

impl TailBatch {
    /// Reads it if it is in memory, behind what was read before.
    pub(crate) fn read(&self, into: &mut Gathered) -> Held {
        match &self.kept {
            None => Held::File,
            Some((chunk, start)) => {
                chunk.read(*start, self.size, into).map_or(Held::Evicted, |()| Held::Memory)
            }
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
        let size = head.len() + body.len();
        if size >= SHARED_BELOW {
            return Some((shared.add_chunk(Room::Own([head, body].concat().into()), size), 0));
        }
        if let Some(open) = &self.open
            && let Some(index) = open.put(head, body)
        {
            return Some((Arc::clone(open), index));
        }
        // A log that gets few batches holds no more than these; a busy one soon has large chunks. One whose chunk was taken
        // away before it was full is not busy compared with the others.
        let full = self.open.as_ref().filter(|chunk| !chunk.is_empty());
        let larger = full.map_or(size, |full| 2 * full.capacity);
        let capacity = larger.min(MAX_CHUNK).min(limit / 8).max(size);
        let chunk = shared.add_chunk(Room::Shared(Vec::with_capacity(capacity)), capacity);
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
        let Some((chunk, _)) = oldest.kept else { return };
        // Others may still be in it: they follow, if only behind larger ones.
        let next = self.batches.iter().find_map(|batch| batch.kept.as_ref());
        if next.is_none_or(|(next, _)| !Arc::ptr_eq(next, &chunk)) {
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
        assert!(a.from(0).all(|batch| batch.read(&mut Gathered::default()) == Held::Evicted));
        assert!(b.from(0).all(|batch| batch.read(&mut Gathered::default()) == Held::Memory));
        assert_eq!(shared.used(), 800);
    }

    #[test]
    fn of_a_large_batch_only_the_place_is_known() {
        let shared = TailCache::new(10_000);
        let mut tail = Tail::default();
        let body = Bytes::from(vec![7; FROM_FILE_BYTES]);
        tail.push(&shared, 1 << 20, (0, 1), (0, 0), &[0; 16], &body);
        assert!(tail.from(0).all(|batch| batch.read(&mut Gathered::default()) == Held::File));
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
        assert!(chunks <= 20 && shared.used() < 120_000, "{chunks} chunks of {} bytes", shared.used());
        let mut read = Gathered::default();
        assert!(tail.from(0).all(|batch| batch.read(&mut read) == Held::Memory));
        let pieces = read.take();
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].chunks(100).all(|batch| batch[..16] == [0; 16] && batch[16..] == body));
        while tail.batches.len() > 1 {
            tail.pop_oldest(&shared);
        }
        assert!(shared.used() <= MAX_CHUNK);
        tail.pop_oldest(&shared);
        assert_eq!(shared.used(), 0);
    }

    #[test]
    fn small_and_larger_batches_are_read_in_their_order() {
        let shared = TailCache::new(1 << 20);
        let mut tail = Tail::default();
        let sizes = [100, 3000, 200, 300, 2048, 2047, 70];
        for (base, size) in (0..).zip(sizes) {
            tail.push(
                &shared,
                1 << 19,
                (base, base + 1),
                (0, 0),
                &[base as u8; 61],
                &vec![base as u8; size - 61],
            );
        }
        let mut read = Gathered::default();
        assert!(tail.from(0).all(|batch| batch.read(&mut read) == Held::Memory));
        let pieces = read.take();
        assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [100, 3000, 500, 2048, 2117]);
        let expected: Vec<u8> = (0..).zip(sizes).flat_map(|(base, size)| vec![base; size]).collect();
        assert_eq!(pieces.concat(), expected);
    }

    #[test]
    fn many_logs_with_few_batches_each_keep_as_many_as_fit() {
        let shared = TailCache::new(1 << 20);
        let mut tails: Vec<Tail> = (0..1000).map(|_| Tail::default()).collect();
        for base in 0..100 {
            for tail in &mut tails {
                tail.push(&shared, 1 << 19, (base, base + 1), (0, 0), &[0; 16], &[7; 184]);
            }
        }
        let held = |batch: &&TailBatch| batch.read(&mut Gathered::default()) == Held::Memory;
        let kept: usize = tails.iter().map(|tail| tail.from(99).filter(held).count()).sum();
        assert!(kept >= 980, "of {kept} logs the newest batch is there");
        let kept: usize = tails.iter().map(|tail| tail.batches.iter().filter(held).count()).sum();
        assert!(kept >= 2500, "{kept} batches of 200 bytes in 1 MiB");
        assert!(shared.used() <= 1 << 20);
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
