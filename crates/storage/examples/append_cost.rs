//! What an append costs, against copying and checksumming the same bytes:
//! `cargo run --release -p ottla-storage --example append_cost -- DIR [BATCH_BYTES] [GIB] [fsync]`.
#![expect(clippy::print_stdout, reason = "a program that tells what it measured")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::{Clock, RealClock, RealDisk};
use ottla_records::{BatchBuilder, crc32c};
use ottla_storage::{AppendOrigin, LeaderAppend, LogConfig, LogDir, LogDirOptions};
use ottla_types::{LeaderEpoch, NodeId, Offset, TopicIdPartition, TopicPartition, Uuid};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let path = args.first().ok_or("usage: append_cost DIR [BATCH_BYTES] [GIB] [fsync]")?;
    let batch_bytes: usize = args.get(1).map_or(Ok(65_536), |n| n.parse())?;
    let gib: f64 = args.get(2).map_or(Ok(2.0), |n| n.parse())?;
    let fsync = args.get(3).is_some_and(|mode| mode == "fsync");
    let clock = RealClock::default();
    let records = batch(batch_bytes)?;
    let rounds = (gib * (1_u64 << 30) as f64 / records.len() as f64) as u64;
    let report = |what: &str, start: ottla_env::Monotonic, cpu: f64| {
        let gb = rounds as f64 * records.len() as f64 / 1e9;
        let wall = clock.now().since(start).as_secs_f64();
        println!("{what:<22} {:7.3} CPU-s/GB {:8.0} MB/s", (cpu_seconds() - cpu) / gb, gb * 1e3 / wall);
    };

    let (start, cpu) = (clock.now(), cpu_seconds());
    let mut copy = vec![0; records.len()];
    let mut sum = 0_u64;
    for _ in 0..rounds {
        copy.copy_from_slice(std::hint::black_box(&records));
        sum += u64::from(crc32c(std::hint::black_box(&copy)));
    }
    std::hint::black_box(sum);
    report("copy + crc", start, cpu);

    let options = LogDirOptions::new("bench", NodeId(1));
    let (dir, _) = LogDir::open(Arc::new(RealDisk), Path::new(path), &options)?;
    let partition =
        TopicIdPartition { topic_id: Uuid::random(), topic_partition: TopicPartition::new("bench", 0) };
    let mut log = dir.create_log(&partition, LogConfig::default())?;
    let now_ms = clock.wall_ms();
    let how = LeaderAppend { leader_epoch: LeaderEpoch(0), now_ms, origin: AppendOrigin::Client };
    let (start, cpu) = (clock.now(), cpu_seconds());
    for _ in 0..rounds {
        log.append_as_leader(records.clone(), &how)?;
        if fsync {
            log.flush()?;
        }
    }
    report(if fsync { "append + fdatasync" } else { "append" }, start, cpu);

    let (start, cpu) = (clock.now(), cpu_seconds());
    let (mut from, mut bytes) = (Offset(0), 0);
    while from < log.log_end_offset() {
        let read = log.read(from, 1 << 20, log.log_end_offset(), true)?;
        let loaded = read.load()?;
        bytes += loaded.len();
        let last = ottla_records::batches(&loaded).last().ok_or("an empty read")??;
        from = last.next_offset();
    }
    report("read 1 MiB at a time", start, cpu);
    println!("{bytes} bytes in {} segments", log.segments().count());

    log.flush()?;
    let start = clock.now();
    drop(log);
    drop(dir);
    let (dir, _) = LogDir::open(Arc::new(RealDisk), Path::new(path), &options)?;
    let opened = clock.now().since(start);
    let mut log = dir.open_log(&partition, LogConfig::default(), now_ms)?;
    log.read(Offset(0), 1 << 20, log.log_end_offset(), true)?;
    println!("start after a crash: directory {opened:?}, first read {:?}", clock.now().since(start));
    Ok(())
}

fn batch(size: usize) -> Result<Bytes, Box<dyn Error>> {
    let mut builder = BatchBuilder::new();
    let value: Vec<u8> = (0..1000_u32).map(|i| (i * 7 % 251) as u8).collect();
    let now_ms = RealClock::default().wall_ms();
    while builder.size() + value.len() < size {
        builder.append(now_ms, None, Some(&value), &[])?;
    }
    Ok(builder.build()?)
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
