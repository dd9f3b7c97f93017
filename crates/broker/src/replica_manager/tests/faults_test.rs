//! Disks that lack something for a while, and faults of the broker itself.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ottla_simdisk::{Fault, Op};

use super::super::{AckOutcome, PartitionError};
use super::*;

#[tokio::test]
async fn a_sync_that_failed_for_want_of_space_is_made_up_for() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    let (moved, mut high_watermarks) = tokio::sync::mpsc::channel(16);
    partition.on_high_watermark(Box::new(move |offset| moved.try_send(offset).unwrap_or_default()));
    host.disk.inject(Fault::no_space(Op::Write).on("leader-epoch-checkpoint").times(2));
    let appended = partition.append(batch("v"), Acks::All).unwrap();
    assert_eq!(appended.acknowledged.unwrap().await, Ok(AckOutcome::StorageFailed));
    // Nobody appends or asks.
    assert_eq!(high_watermarks.recv().await.map(|offset| offset.0), Some(1));
}

#[tokio::test]
async fn an_earlier_deadline_takes_the_place_of_a_later_one() {
    let every = |secs| PartitionConfig {
        sync: SyncPolicy { mode: SyncMode::Interval(Duration::from_secs(secs)), ..config().sync },
        ..config()
    };
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    // Its becoming leader is synced.
    produce(&partition, "v").await;
    partition.update_config(every(3600).into());
    for _ in 0..3 {
        partition.append(batch("v"), Acks::Leader).unwrap();
    }
    assert_eq!(host.manager.flush_queues[0].len(), 1);
    partition.update_config(every(1800).into());
    partition.append(batch("v"), Acks::Leader).unwrap();
    assert_eq!(host.manager.flush_queues[0].len(), 1, "the former deadline stays queued");
    // The disk tells when it was synced.
    let syncs = host.disk.counters().syncs;
    partition.update_config(every(0).into());
    while host.disk.counters().syncs == syncs {
        tokio::task::yield_now().await;
    }
    assert_eq!(host.manager.flush_queues[0].len(), 0);
}

#[tokio::test]
async fn a_log_that_is_left_to_the_system_is_synced_when_it_is_idle() {
    let os = || PartitionConfig { sync: SyncPolicy { mode: SyncMode::Os, ..config().sync }, ..config() };
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    // Its becoming leader is synced.
    produce(&partition, "v").await;
    partition.update_config(os().into());
    let syncs = || host.disk.counters().syncs;
    let before = syncs();
    for _ in 0..3 {
        partition.append(batch("v"), Acks::All).unwrap();
        // As if its time had come.
        partition.sync();
    }
    assert_eq!(syncs(), before, "it is busy");
    partition.sync();
    assert!(syncs() > before);
}

#[tokio::test]
async fn a_panic_under_the_lock_has_the_partition_opened_anew() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 2).0);
    let partition = host.partition("t", 0).await.unwrap();
    produce(&partition, "a").await;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        partition.with_log(|log, _| {
            let how = ottla_storage::LeaderAppend {
                leader_epoch: ottla_types::LeaderEpoch(0),
                now_ms: NOW,
                origin: ottla_storage::AppendOrigin::Client,
            };
            log.append_as_leader(batch("b"), &how).unwrap();
            panic!("in the middle of an append");
        });
    }));
    assert!(panicked.is_err());
    assert!(matches!(partition.append(batch("c"), Acks::All), Err(PartitionError::Damaged { .. })));
    produce(&host.partition("t", 1).await.unwrap(), "others go on").await;
    host.manager.reopen_failed();
    let anew = host.partition("t", 0).await.unwrap();
    assert!(!Arc::ptr_eq(&partition, &anew) && anew.is_leader());
    assert_eq!(anew.offsets().log_end.0, 2, "what was written is found in the files");
    produce(&anew, "c").await;
    assert!(matches!(partition.append(batch("d"), Acks::All), Err(PartitionError::Damaged { .. })));
    assert!(host.manager.failed_partitions().is_empty());
}

#[tokio::test]
async fn a_lock_that_is_taken_while_unwinding_is_no_fault_of_the_partition() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _parked = Partition::register_fetch(
            &partition,
            &Arc::default(),
            0,
            super::super::Reader::Consumer { reads_from_followers: true },
        );
        panic!("in a handler");
    }));
    assert!(panicked.is_err());
    produce(&partition, "v").await;
}

#[tokio::test]
async fn sync_threads_survive_who_follows_the_high_watermark() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    let partition = host.partition("t", 0).await.unwrap();
    partition.on_high_watermark(Box::new(|_| panic!("in the listener")));
    // More than there are threads.
    for _ in 0..20 {
        produce(&partition, "v").await;
    }
    assert_eq!(partition.offsets().high_watermark.0, 20);
}

#[tokio::test]
async fn a_panic_in_a_sync_has_the_partition_opened_anew() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(created("t", 1, 1).0);
    for round in 1..20 {
        let partition = host.partition("t", 0).await.unwrap();
        produce(&partition, "v").await;
        host.disk.inject(Fault::panic(Op::SyncData));
        let unanswered = partition.append(batch("v"), Acks::All).unwrap().acknowledged.unwrap();
        while !partition.has_failed() {
            tokio::task::yield_now().await;
        }
        host.manager.reopen_failed();
        assert_eq!(unanswered.await, Ok(AckOutcome::NotLeader));
        assert_eq!(host.partition("t", 0).await.unwrap().offsets().log_end.0, 2 * round);
    }
}
