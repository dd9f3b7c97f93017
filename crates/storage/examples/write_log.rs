//! Writes a log directory to look at with Apache Kafka's own tools:
//! `cargo run -p ottla-storage --example write_log -- DIR`, then `DumpLogSegments --deep-iteration --files …`.
#![expect(clippy::print_stdout, reason = "a program that tells what it did")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::RealDisk;
use ottla_records::{BatchBuilder, Codec};
use ottla_storage::{AppendOrigin, LeaderAppend, LogConfig, LogDir, LogDirOptions};
use ottla_types::{
    BrokerEpoch, LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, TopicIdPartition, TopicPartition,
    Uuid,
};

const NOW: i64 = 1_700_000_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: write_log DIR")?;
    let options = LogDirOptions::new("MkU3OEVBNTcwNTJENDM2Qg", NodeId(1));
    let (dir, _) = LogDir::open(Arc::new(RealDisk), Path::new(&path), &options)?;
    let partition =
        TopicIdPartition { topic_id: Uuid::random(), topic_partition: TopicPartition::new("looked-at", 0) };
    let config = LogConfig { segment_bytes: 200_000, ..LogConfig::default() };
    let mut log = dir.open_or_create_log(&partition, config, NOW)?;
    let mut sequence = 0;
    for i in 0..2_000_i32 {
        let records = batch(i, sequence)?;
        sequence += 1 + i % 3;
        let how = LeaderAppend {
            leader_epoch: LeaderEpoch(i / 700),
            now_ms: NOW + i64::from(i),
            origin: AppendOrigin::Client,
        };
        log.append_as_leader(records, &how)?;
        if i % 100 == 0 {
            log.flush()?;
        }
        if i == 1_500 {
            log.truncate_to(Offset(log.log_end_offset().0 - 30), NOW)?;
            // Its last sequence number is not known here any more; another producer goes on.
            sequence = 0;
        }
    }
    log.delete_records_before(Offset(100))?;
    log.close()?;
    dir.close(BrokerEpoch(5))?;
    println!("{} records in {} segments", log.log_end_offset(), log.segments().count());
    Ok(())
}

/// 1 to 3 records, in each codec in turn, with timestamps that go back now and then.
fn batch(i: i32, sequence: i32) -> Result<Bytes, Box<dyn Error>> {
    let codec = Codec::ALL.into_iter().cycle().nth(usize::try_from(i % 5)?).unwrap_or_default();
    let mut builder = BatchBuilder::new().compression(codec);
    builder.set_producer(ProducerId(if i > 1_500 { 8 } else { 7 }), ProducerEpoch(0), sequence);
    for n in 0..=i % 3 {
        let time = NOW + i64::from(i) - i64::from(i % 7) * 3 + i64::from(n);
        let value = "some text that is a little longer ".repeat(usize::try_from(1 + i % 40)?);
        builder.append(time, Some(format!("key {i}").as_bytes()), Some(value.as_bytes()), &[])?;
    }
    Ok(builder.build()?)
}
