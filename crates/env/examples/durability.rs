//! How to make acknowledged records durable: parallel `fdatasync` of preallocated segments against one shared
//! write-ahead log, at 1, 100 and 500 hot partitions, and the tail of `pwrite` while syncs run.
//!
//! `cargo run --release -p ottla-env --example durability -- DIR [SECONDS]` prints one line per run. The figures are in
//! docs/adr/0002-durability.md.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program: it may stop, and it prints"
)]

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ottla_env::{Disk, File, OpenOptions, RealDisk, RealRng, Rng};

const BATCH_BYTES: usize = 4096;
const WRITERS: usize = 128;
const SEGMENT_BYTES: u64 = 64 << 20;

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = PathBuf::from(args.next().unwrap_or_else(|| "durability-data".into()));
    let run_for = Duration::from_secs(args.next().map_or(3, |s| s.parse().unwrap()));
    println!("{WRITERS} writers, one {BATCH_BYTES}-byte batch in flight each, {} s a run", run_for.as_secs());
    for partitions in [1, 100, 500] {
        for (name, shared, sync_threads) in [
            ("segments, 1 sync thread", false, 1),
            ("segments, 4", false, 4),
            ("segments, 8", false, 8),
            ("shared log", true, 1),
        ] {
            let report = run(&dir, partitions, shared, sync_threads, run_for);
            println!("{partitions:>4} partitions | {name:<24} | {report}");
        }
    }
}

/// One file that is appended to and synced: a segment, or the shared log.
struct Target {
    file: Arc<dyn File>,
    state: Mutex<TargetState>,
    synced: Condvar,
}

#[derive(Default)]
struct TargetState {
    end: u64,
    synced: u64,
    queued: bool,
}

#[derive(Default)]
struct Queue {
    dirty: Mutex<VecDeque<usize>>,
    wake: Condvar,
}

fn run(dir: &Path, partitions: usize, shared: bool, sync_threads: usize, run_for: Duration) -> String {
    let disk = RealDisk;
    disk.create_dir_all(dir).unwrap();
    let files = if shared { partitions + 1 } else { partitions };
    let targets: Vec<Target> = (0..files).map(|i| open(&disk, dir, i, partitions, shared)).collect();
    disk.sync_dir(dir).unwrap();
    let (queue, stop, syncs) = (Queue::default(), AtomicBool::new(false), AtomicU64::new(0));
    let results = Mutex::new((Vec::new(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..sync_threads {
            scope.spawn(|| sync_loop(&targets, &queue, &stop, &syncs));
        }
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let (acks, writes) = write_loop(&targets, partitions, shared, &queue, run_for);
                    let mut results = results.lock().unwrap();
                    results.0.extend(acks);
                    results.1.extend(writes);
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        stop.store(true, Ordering::SeqCst);
        queue.wake.notify_all();
    });
    disk.remove_dir_all(dir).unwrap();
    let (mut acks, mut writes) = results.into_inner().unwrap();
    let (acked, syncs) = (acks.len() as f64, syncs.load(Ordering::SeqCst) as f64);
    format!(
        "{:>7.0} acks/s  {:>6.0} syncs/s  {:>5.1} acks/sync | ack ms p50 {:>6.2} p99 {:>6.2} | pwrite ms p99 {:.3} p99.9 {:.3} max {:.1}",
        acked / run_for.as_secs_f64(),
        syncs / run_for.as_secs_f64(),
        acked / syncs,
        percentile_ms(&mut acks, 0.5),
        percentile_ms(&mut acks, 0.99),
        percentile_ms(&mut writes, 0.99),
        percentile_ms(&mut writes, 0.999),
        percentile_ms(&mut writes, 1.0),
    )
}

fn open(disk: &RealDisk, dir: &Path, index: usize, partitions: usize, shared: bool) -> Target {
    let file = disk.open(&dir.join(format!("{index}.log")), OpenOptions::CREATE_EMPTY).unwrap();
    if shared == (index == partitions) {
        // Segments of a shared log's partitions are only written back, never synced.
        file.preallocate(0, if shared { 8 * SEGMENT_BYTES } else { SEGMENT_BYTES / partitions as u64 * 8 })
            .unwrap();
    }
    Target { file, state: Mutex::default(), synced: Condvar::new() }
}

fn write_loop(
    targets: &[Target],
    partitions: usize,
    shared: bool,
    queue: &Queue,
    run_for: Duration,
) -> (Vec<Duration>, Vec<Duration>) {
    let (mut rng, batch) = (RealRng::default(), [0x5a; BATCH_BYTES]);
    let (mut acks, mut writes) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    while begin.elapsed() < run_for {
        let sent = Instant::now();
        let partition = usize::try_from(rng.below(partitions as u64)).unwrap();
        if shared {
            let mut state = targets[partition].state.lock().unwrap();
            targets[partition].file.write_all_at(&batch, state.end).unwrap();
            state.end += batch.len() as u64;
        }
        let index = if shared { partitions } else { partition };
        let target = &targets[index];
        let mut state = target.state.lock().unwrap();
        let before = Instant::now();
        target.file.write_all_at(&batch, state.end).unwrap();
        writes.push(before.elapsed());
        state.end += batch.len() as u64;
        let end = state.end;
        if !state.queued {
            state.queued = true;
            queue.dirty.lock().unwrap().push_back(index);
            queue.wake.notify_one();
        }
        while state.synced < end {
            state = target.synced.wait(state).unwrap();
        }
        acks.push(sent.elapsed());
    }
    (acks, writes)
}

fn sync_loop(targets: &[Target], queue: &Queue, stop: &AtomicBool, syncs: &AtomicU64) {
    loop {
        let mut dirty = queue.dirty.lock().unwrap();
        let index = loop {
            if let Some(index) = dirty.pop_front() {
                break index;
            }
            if stop.load(Ordering::SeqCst) {
                return;
            }
            dirty = queue.wake.wait_timeout(dirty, Duration::from_millis(100)).unwrap().0;
        };
        drop(dirty);
        let target = &targets[index];
        let end = {
            let mut state = target.state.lock().unwrap();
            state.queued = false;
            state.end
        };
        target.file.sync_data().unwrap();
        syncs.fetch_add(1, Ordering::SeqCst);
        let mut state = target.state.lock().unwrap();
        state.synced = state.synced.max(end);
        target.synced.notify_all();
    }
}

fn percentile_ms(values: &mut [Duration], q: f64) -> f64 {
    values.sort_unstable();
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * q) as usize).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3)
}
