//! One round of compaction of one log, without a node: what `cargo xtask parity compaction` compares with Kafka's. Prints what it was and cost.
//! `cargo run --release -p ottla-storage --example compact_once -- DIR TOPIC SEGMENT_BYTES DELETE_RETENTION_MS`.
#![expect(clippy::print_stdout, reason = "a program that tells what it did")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use ottla_env::{Clock, RealClock, RealDisk, RealRng, Rng};
use ottla_storage::inspect::OffsetCheckpoint;
use ottla_storage::{LogConfig, LogDir, LogDirOptions, MetaProperties, OffsetMap};
use ottla_types::{BrokerEpoch, TopicPartition};

/// `log.cleaner.dedupe.buffer.size` and `log.cleaner.io.buffer.load.factor`, as Kafka has them by default.
const MAP: (usize, f64) = (128 << 20, 0.9);

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, topic, segment_bytes, delete_retention_ms] = args.as_slice() else {
        return Err("usage: compact_once DIR TOPIC SEGMENT_BYTES DELETE_RETENTION_MS".into());
    };
    let (disk, path, clock) = (Arc::new(RealDisk), Path::new(path), RealClock::default());
    let config = LogConfig {
        segment_bytes: segment_bytes.parse()?,
        cleanup_compact: true,
        cleanup_delete: false,
        min_cleanable_dirty_ratio: 0.0,
        delete_retention_ms: delete_retention_ms.parse()?,
        ..LogConfig::default()
    };
    let at = TopicPartition::new(topic.as_str(), 0);
    let meta = MetaProperties::read(&*disk, path)?.ok_or("there is no meta.properties")?;
    let (dir, report) = LogDir::open(disk.clone(), path, &LogDirOptions::new(meta.cluster_id, meta.node_id))?;
    let found = report.partitions.iter().find(|found| found.partition.topic_partition == at);
    let partition = &found.ok_or("there is no such partition")?.partition;
    let now_ms = clock.wall_ms();
    let mut log = dir.open_log(partition, config, now_ms)?;
    // No node restores what a directory that nobody serves has written: all of it is committed.
    let end = log.log_end_offset();
    let before = log.segments().count();

    let began = clock.now();
    let mut map = OffsetMap::new(MAP.0, MAP.1, RealRng::default().bytes16());
    let mut round = log.begin_compaction(now_ms, end)?.ok_or("there is nothing to clean")?;
    let (mut swapped, pace) = (0, &mut |_| true);
    round.read_keys(&mut map, pace)?;
    let indexed = clock.now().since(began).as_secs_f64();
    while let Some(cleaned) = round.clean_next(&map, pace)? {
        let Some(swap) = log.swap_in(cleaned) else { return Err("a cleaned segment was not taken".into()) };
        swap.run()?;
        log.complete_swap(&swap)?;
        swapped += 1;
    }
    let seconds = clock.now().since(began).as_secs_f64();
    let ((read, written), (first, cleaned_to)) = (round.bytes(), (round.first_dirty(), round.end()));
    log.complete_compaction(round);

    let after = log.segments().count();
    log.close()?;
    dir.write_checkpoints()?;
    dir.close(BrokerEpoch(-1))?;
    let checkpoint = OffsetCheckpoint::Cleaner.read(&*disk, path)?.get(&at).copied();
    if checkpoint != Some(cleaned_to) {
        return Err(format!("the checkpoint says {checkpoint:?}, not {cleaned_to:?}").into());
    }
    for (name, value) in [
        ("first-dirty", first.0 as f64),
        ("cleaned-to", cleaned_to.0 as f64),
        ("segments-before", before as f64),
        ("segments-after", after as f64),
        ("swapped", f64::from(swapped)),
        ("bytes-read", read as f64),
        ("bytes-written", written as f64),
        ("seconds", seconds),
        ("seconds-of-keys", indexed),
        ("peak-kib", peak_kib()?),
    ] {
        println!("{name} {value}");
    }
    Ok(())
}

/// The most memory that the process has had.
fn peak_kib() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
