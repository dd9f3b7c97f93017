//! Facts about logs, on the simulated disk.

mod append_test;
mod compact_crash_test;
mod compact_test;
mod crash_test;
mod damage_test;
mod keep_test;
mod log_test;
mod mark_test;
mod move_test;
mod swap_test;
mod text_file_test;
mod writers_test;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ottla_records::{BatchBuilder, BatchView, batches};
use ottla_simdisk::SimDisk;
use ottla_types::{
    LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, TopicIdPartition, TopicPartition, Uuid,
};

use crate::{
    AppendError, AppendInfo, AppendOrigin, LeaderAppend, Log, LogConfig, LogDir, LogDirOptions, OpenReport,
};

pub(crate) const NOW: i64 = 1_700_000_000_000;

/// A number from the environment, for longer runs and for one seed.
pub(crate) fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

/// Runs one history of a crash test; tells its seed and its last steps if it fails.
pub(crate) fn run_history<R>(seed: u64, run: &mut R, trace: fn(&R) -> &[String], go: impl FnOnce(&mut R)) {
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| go(run)));
    if let Err(panic) = outcome {
        let trace = trace(run);
        let last = trace.get(trace.len().saturating_sub(60)..).unwrap_or_default();
        eprintln!("OTTLA_SEED={seed}\n{}", last.join("\n"));
        std::panic::resume_unwind(panic);
    }
}

pub(crate) fn partition(topic: &str) -> TopicIdPartition {
    TopicIdPartition { topic_id: Uuid([7; 16]), topic_partition: TopicPartition::new(topic, 0) }
}

pub(crate) fn open_dir(disk: &SimDisk) -> (LogDir, OpenReport) {
    LogDir::open(Arc::new(disk.clone()), Path::new("/data"), &options()).unwrap()
}

pub(crate) fn options() -> LogDirOptions {
    LogDirOptions { new_directory_id: Uuid([9; 16]), ..LogDirOptions::new("cluster", NodeId(1)) }
}

pub(crate) fn small() -> LogConfig {
    LogConfig {
        segment_bytes: 4000,
        index_interval_bytes: 300,
        snapshot_interval_bytes: 2500,
        tail_cache_bytes: 1000,
        ..LogConfig::default()
    }
}

/// A log of its own directory.
pub(crate) fn new_log(config: LogConfig) -> (SimDisk, LogDir, Log) {
    let disk = SimDisk::new(1);
    let (dir, _) = open_dir(&disk);
    let log = dir.create_log(&partition("t"), config).unwrap();
    (disk, dir, log)
}

/// One batch with a record per value, one millisecond apart from `time` on.
pub(crate) fn batch_at(time: i64, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (t, value) in (time..).zip(values) {
        builder.append(t, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn batch(values: &[&str]) -> Bytes {
    batch_at(NOW, values)
}

pub(crate) fn from_producer(id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.set_producer(ProducerId(id), ProducerEpoch(epoch), sequence);
    for value in values {
        builder.append(NOW, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn how(epoch: i32) -> LeaderAppend {
    LeaderAppend { leader_epoch: LeaderEpoch(epoch), now_ms: NOW, origin: AppendOrigin::Client }
}

pub(crate) fn append(log: &mut Log, records: Bytes) -> Result<AppendInfo, AppendError> {
    log.append_as_leader(records, &how(0))
}

/// Every value from `from` on, with its offset.
pub(crate) fn values(log: &mut Log, from: i64) -> Vec<(i64, String)> {
    let mut out = Vec::new();
    for batch in all_batches(log, from) {
        let records = batch.records(1 << 20).unwrap().map(Result::unwrap);
        out.extend(
            records
                .filter(|record| record.offset.0 >= from)
                .map(|record| (record.offset.0, String::from_utf8(record.value.unwrap().to_vec()).unwrap())),
        );
    }
    out
}

/// The batches from the one that holds `from` on, their checksums checked.
pub(crate) fn all_batches(log: &mut Log, from: i64) -> Vec<BatchView> {
    let (mut out, mut next) = (Vec::<BatchView>::new(), from);
    loop {
        let end = log.log_end_offset();
        let result = log.read(Offset(next), 1 << 20, end, true).unwrap();
        if result.is_empty() {
            return out;
        }
        for batch in batches(&result.load().unwrap()) {
            let batch = batch.unwrap();
            batch.check_crc().unwrap();
            next = batch.next_offset().0;
            out.push(batch);
        }
    }
}
