//! Facts about partitions that have replicas on other brokers: two hosts, each broker 1 in its own metadata, the other 2.

use ottla_protocol::records::metadata::PartitionChangeRecord;
use ottla_replication::AlterIsr;
use ottla_types::{BrokerEpoch, LeaderEpoch, Offset, PartitionEpoch};
use tokio::sync::oneshot::error::TryRecvError;

use super::super::{
    AckOutcome, DeleteRecordsError, FollowerPosition, Isolation, NextFetch, PartitionError, ReadRequest,
    Reader,
};
use super::*;

const OTHER: i32 = 2;

/// Metadata in which `leader` leads, both replicate, and `isr` are in sync.
fn image(leader: i32, epoch: i32, isr: &[i32]) -> MetadataImage {
    let mut records = creation("t", 1, 1);
    if let Some(MetadataRecord::Partition(partition)) = records.last_mut() {
        partition.replicas = vec![1, OTHER];
        partition.directories = vec![Uuid([9; 16]), Uuid([8; 16])];
        partition.isr = isr.to_vec();
        (partition.leader, partition.leader_epoch, partition.partition_epoch) = (leader, epoch, epoch);
    }
    MetadataImage::empty().apply(&records).unwrap().0
}

async fn host(leader: i32, epoch: i32, isr: &[i32]) -> (Host, Arc<Partition>) {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(image(leader, epoch, isr));
    let partition = host.partition("t", 0).await.unwrap();
    (host, partition)
}

/// Where the follower goes on, once it has synced.
async fn position(partition: &Arc<Partition>) -> FollowerPosition {
    loop {
        match partition.next_fetch().unwrap() {
            NextFetch::From(position) => return position,
            NextFetch::AfterSync(synced) => assert_eq!(synced.await, Ok(AckOutcome::Committed)),
            NextFetch::Later => panic!("nobody is throttled"),
        }
    }
}

fn fetch(position: FollowerPosition) -> ReadRequest {
    ReadRequest {
        reader: Reader::Follower { id: NodeId(OTHER), epoch: Some(BrokerEpoch(7)) },
        isolation: Isolation::LogEnd,
        from: position.fetch_offset,
        max_bytes: 1 << 20,
        at_least_one_batch: true,
        current_leader_epoch: position.leader_epoch,
        last_fetched_epoch: position.last_fetched_epoch,
        log_start: position.log_start_offset,
    }
}

fn all_of(partition: &Partition) -> Bytes {
    partition.read_for_load(Offset(0), 1 << 20).unwrap()
}

/// One fetch of `follower` from `leader`.
async fn fetch_once(follower: &Arc<Partition>, leader: &Arc<Partition>) {
    let position = position(follower).await;
    let read = leader.read(&fetch(position)).unwrap();
    let epoch = position.leader_epoch;
    match read.diverging {
        Some(leaders) => assert!(follower.truncate(epoch, leaders).unwrap()),
        None => {
            let records = match read.bytes {
                0 => Bytes::new(),
                _ => leader.read_for_load(position.fetch_offset, 1 << 20).unwrap(),
            };
            follower.append_fetched(epoch, &records, read.high_watermark, read.log_start_offset).unwrap();
        }
    }
}

#[tokio::test]
async fn acknowledged_is_what_the_follower_has_fetched_and_synced() {
    let (leading, leader) = host(1, 0, &[1, OTHER]).await;
    let (following, follower) = host(OTHER, 0, &[1, OTHER]).await;
    let appended = leader.append(batch("a"), Acks::All).unwrap();
    let mut acknowledged = appended.acknowledged.unwrap();
    fetch_once(&follower, &leader).await;
    assert!(acknowledged.try_recv().is_err(), "sent, but nobody knows whether it is stored");
    fetch_once(&follower, &leader).await;
    assert_eq!(acknowledged.await, Ok(AckOutcome::Committed));
    assert_eq!(follower.with_log(|log, _| log.flushed_offset()), Offset(1));
    fetch_once(&follower, &leader).await;
    assert_eq!((all_of(&follower), follower.offsets().high_watermark), (all_of(&leader), Offset(1)));
    leading.close();
    following.close();
}

#[tokio::test]
async fn a_leader_that_stays_acknowledges_in_its_next_epoch_what_it_appended_before() {
    let (mut leading, leader) = host(1, 0, &[1, OTHER]).await;
    let (mut following, follower) = host(OTHER, 0, &[1, OTHER]).await;
    let append = |value| leader.append(batch(value), Acks::All).unwrap().acknowledged.unwrap();
    let mut acknowledged = append("a");
    leading.apply(image(1, 1, &[1, OTHER]));
    following.apply(image(OTHER, 1, &[1, OTHER]));
    assert_eq!(acknowledged.try_recv(), Err(TryRecvError::Empty), "nobody else has it");
    fetch_once(&follower, &leader).await;
    assert_eq!(acknowledged.try_recv(), Err(TryRecvError::Empty), "nor has synced it");
    fetch_once(&follower, &leader).await;
    assert_eq!(acknowledged.await, Ok(AckOutcome::Committed));
    assert_eq!(all_of(&follower), all_of(&leader));
    // Those in sync in the new epoch count.
    let acknowledged = append("b");
    leading.apply(image(1, 2, &[1]));
    assert_eq!(acknowledged.await, Ok(AckOutcome::Committed));
    leading.apply(image(1, 3, &[1, OTHER]));
    let acknowledged = append("c");
    leading.apply(image(OTHER, 4, &[1, OTHER]));
    assert_eq!(acknowledged.await, Ok(AckOutcome::NotLeader));
    leading.close();
    following.close();
}

#[tokio::test]
async fn a_former_leader_cuts_off_what_nobody_else_has() {
    let (mut old_host, old) = host(1, 0, &[1, OTHER]).await;
    let (mut new_host, new) = host(OTHER, 0, &[1, OTHER]).await;
    old.append(batch("a"), Acks::Leader).unwrap();
    fetch_once(&new, &old).await;
    old.append(batch("only here"), Acks::Leader).unwrap();
    new_host.apply(image(1, 1, &[1, OTHER]));
    new.append(batch("b"), Acks::Leader).unwrap();
    new.append(batch("c"), Acks::Leader).unwrap();
    old_host.apply(image(OTHER, 1, &[1, OTHER]));
    assert_eq!(position(&old).await.fetch_offset, Offset(2));
    fetch_once(&old, &new).await;
    assert_eq!(position(&old).await.fetch_offset, Offset(1), "cut off where epoch 0 ended");
    fetch_once(&old, &new).await;
    assert_eq!(all_of(&old), all_of(&new));
    old_host.close();
    new_host.close();
}

#[tokio::test]
async fn what_was_fetched_of_a_former_leader_is_not_appended() {
    let (leading, leader) = host(1, 0, &[1, OTHER]).await;
    let (mut following, follower) = host(OTHER, 0, &[1, OTHER]).await;
    leader.append(batch("a"), Acks::Leader).unwrap();
    following.apply(image(OTHER, 1, &[1, OTHER]));
    let late = follower.append_fetched(LeaderEpoch(0), &all_of(&leader), Offset(1), Offset(0));
    assert!(matches!(late, Err(PartitionError::NotLeading(_))), "{late:?}");
    following.apply(image(1, 2, &[1, OTHER]));
    assert!(matches!(follower.next_fetch(), Err(PartitionError::NotLeading(_))));
    leading.close();
    following.close();
}

#[tokio::test]
async fn an_epoch_without_records_is_not_part_of_a_followers_history() {
    let (mut host, partition) = host(1, 3, &[1, OTHER]).await;
    host.apply(image(OTHER, 4, &[1, OTHER]));
    assert_eq!(position(&partition).await.last_fetched_epoch, LeaderEpoch::NONE);
    host.apply(image(1, 5, &[1, OTHER]));
    partition.append(batch("a"), Acks::Leader).unwrap();
    host.apply(image(1, 6, &[1, OTHER]));
    host.apply(image(OTHER, 7, &[1, OTHER]));
    assert_eq!(position(&partition).await.last_fetched_epoch, LeaderEpoch(5));
    host.close();
}

#[tokio::test]
async fn a_follower_starts_anew_where_its_leader_begins() {
    let (host, partition) = host(OTHER, 0, &[OTHER]).await;
    partition.start_anew(LeaderEpoch(0), Offset(40)).unwrap();
    let position = position(&partition).await;
    assert_eq!((position.fetch_offset, position.log_start_offset), (Offset(40), Offset(40)));
    host.close();
}

#[tokio::test]
async fn a_follower_that_caught_up_is_proposed_and_counts_at_once() {
    let (leading, leader) = host(1, 0, &[1]).await;
    let (following, follower) = host(OTHER, 0, &[1]).await;
    let lag_max = Duration::from_secs(30);
    let anybody = |_, _| true;
    produce(&leader, "a").await;
    assert_eq!(leader.wanted_isr(lag_max, anybody), None);
    fetch_once(&follower, &leader).await;
    assert!(leading.manager.in_sync().take_noted().is_empty());
    fetch_once(&follower, &leader).await;
    assert_eq!(leading.manager.in_sync().take_noted().len(), 1);
    let (epoch, change) = leader.wanted_isr(lag_max, anybody).unwrap();
    let isr = vec![(NodeId(1), None), (NodeId(OTHER), Some(BrokerEpoch(7)))];
    assert_eq!(change, AlterIsr { partition_epoch: PartitionEpoch(0), isr });
    assert_eq!(leader.wanted_isr(lag_max, anybody), Some((epoch, change.clone())), "until it is answered");
    let mut acknowledged = leader.append(batch("b"), Acks::All).unwrap().acknowledged.unwrap();
    leader.sync_now();
    assert!(acknowledged.try_recv().is_err());
    leader.isr_refused(epoch, &change);
    assert_eq!(acknowledged.await, Ok(AckOutcome::Committed));
    assert_eq!(leader.wanted_isr(lag_max, anybody), None, "it lacks what is committed now");
    fetch_once(&follower, &leader).await;
    fetch_once(&follower, &leader).await;
    let (epoch, change) = leader.wanted_isr(lag_max, anybody).unwrap();
    leader.isr_changed(epoch, &change);
    assert_eq!(leader.wanted_isr(lag_max, anybody), None);
    leading.close();
    following.close();
}

/// The default rises to 2 because a third broker registers; the leader, which counts to 1 yet, has the controller take the
/// follower out, which therefore stays eligible.
#[tokio::test]
async fn nothing_is_acknowledged_without_a_follower_that_left_before_the_metadata_tells_how_many_it_takes() {
    let (mut leading, leader) = host(1, 0, &[1, OTHER]).await;
    let mut acknowledged = leader.append(batch("a"), Acks::All).unwrap().acknowledged.unwrap();
    leader.sync_now();
    leading.clock.advance(Duration::from_secs(31));
    let (epoch, change) = leader.wanted_isr(Duration::from_secs(30), |_, _| true).unwrap();
    assert_eq!(change.isr, [(NodeId(1), None)]);
    leader.isr_changed(epoch, &change);
    assert!(acknowledged.try_recv().is_err(), "an eligible leader replica lacks it");
    assert_eq!(leader.wanted_isr(Duration::from_secs(30), |_, _| true), None, "it is not asked for twice");
    let two = PartitionConfig { min_insync_replicas: 2, ..config() };
    let mut alone = image(1, 0, &[1]);
    alone = alone.apply(&[isr_record(&[1])]).unwrap().0;
    let delta = MetadataDelta::between(&leading.image, &alone);
    leading.manager.apply(&leading.image, &alone, &delta, |_| two.clone());
    leading.image = alone;
    assert!(acknowledged.try_recv().is_err());
    assert_eq!(leader.offsets().high_watermark, Offset(0));
    assert!(leader.append(batch("b"), Acks::All).is_err());
    leading.close();
}

/// The record that makes `isr` the in-sync replicas.
fn isr_record(isr: &[i32]) -> MetadataRecord {
    PartitionChangeRecord {
        partition_id: 0,
        topic_id: Uuid([1; 16]),
        isr: Some(isr.to_vec()),
        ..Default::default()
    }
    .into()
}

/// All replicas of the partition are throttled, to 10 bytes a second on this host.
fn throttle(host: &Host, partition: &Arc<Partition>) {
    let all = || ottla_config::ThrottledReplicas::All;
    let config = PartitionConfig { leader_throttled: all(), follower_throttled: all(), ..config() };
    partition.update_config(config.into());
    let rates = ["leader", "follower"].map(|role| format!("{role}.replication.throttled.rate=10"));
    let settings = ottla_config::Settings::load(None, [], &rates).unwrap();
    let config = ottla_config::BrokerConfig::from_settings(&settings).unwrap();
    host.manager.quotas().configure(&config.replication);
}

#[tokio::test]
async fn a_throttled_follower_gets_nothing_for_a_while_unless_it_is_in_sync() {
    let (mut leading, leader) = host(1, 0, &[1]).await;
    let (following, follower) = host(OTHER, 0, &[1]).await;
    throttle(&leading, &leader);
    leader.append(batch("a"), Acks::Leader).unwrap();
    let request = fetch(position(&follower).await);
    let read = || leader.read(&request).unwrap().bytes;
    let sent = read();
    assert!(sent > 0);
    leader.count_sent(sent);
    assert_eq!((read(), leader.readable(&request)), (0, Some(0)), "{sent} bytes a second are too many");
    leading.clock.advance(Duration::from_secs(11));
    assert_eq!(read(), sent, "none in the last seconds");
    leader.count_sent(sent);
    assert_eq!(read(), 0);
    leading.apply(image(1, 0, &[1, OTHER]));
    assert_eq!(read(), sent, "acknowledgements wait for it");
    leading.close();
    following.close();
}

#[tokio::test]
async fn a_throttled_follower_does_not_ask_for_a_while_unless_it_has_all() {
    let (leading, leader) = host(1, 0, &[1]).await;
    let (following, follower) = host(OTHER, 0, &[1]).await;
    throttle(&following, &follower);
    leader.append(batch("a"), Acks::Leader).unwrap();
    let (epoch, records) = (LeaderEpoch(0), all_of(&leader));
    follower.append_fetched(epoch, &records, Offset(2), Offset(0)).unwrap();
    assert!(matches!(follower.next_fetch(), Ok(NextFetch::Later)), "one more is committed");
    following.clock.advance(Duration::from_secs(11));
    assert_eq!(position(&follower).await.fetch_offset, Offset(1));
    leader.append(batch("b"), Acks::Leader).unwrap();
    let second = all_of(&leader).slice(records.len()..);
    follower.append_fetched(epoch, &second, Offset(2), Offset(0)).unwrap();
    assert_eq!(position(&follower).await.fetch_offset, Offset(2), "in sync");
    leading.close();
    following.close();
}

#[tokio::test]
async fn a_replica_whose_directory_is_gone_is_copied_anew_if_nobody_counts_on_it() {
    let lost = |leader: i32, isr: &[i32], elr: &[i32]| {
        let mut records = creation("t", 1, 1);
        if let Some(MetadataRecord::Partition(partition)) = records.last_mut() {
            partition.replicas = vec![1, OTHER];
            partition.directories = vec![Uuid([7; 16]), Uuid([8; 16])];
            (partition.isr, partition.leader) = (isr.to_vec(), leader);
            partition.eligible_leader_replicas = (!elr.is_empty()).then(|| elr.to_vec());
            partition.partition_epoch = 5;
        }
        MetadataImage::empty().apply(&records).unwrap().0
    };
    for (leader, isr, elr, is_copied) in [
        (OTHER, &[OTHER][..], &[][..], true),
        (OTHER, &[OTHER, 1], &[], false),
        (OTHER, &[OTHER], &[1], false),
        (1, &[1], &[], false),
        (NodeId::NONE.0, &[], &[], false),
    ] {
        let mut host = Host::start(&SimDisk::new(1));
        host.apply(lost(leader, isr, elr));
        assert_eq!(host.partition("t", 0).await.is_some(), is_copied, "leader {leader}, {isr:?}, {elr:?}");
    }
    // Once the leader has taken it from those in sync.
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(lost(OTHER, &[OTHER, 1], &[]));
    assert!(host.partition("t", 0).await.is_none());
    host.apply(lost(OTHER, &[OTHER], &[]));
    assert_eq!(host.partition("t", 0).await.unwrap().offsets().log_end, Offset(0));
}

#[tokio::test]
async fn a_damaged_replica_leads_nobody_and_is_copied_anew_if_nobody_counts_on_it() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(image(1, 0, &[1]));
    produce(&host.partition("t", 0).await.unwrap(), "v").await;
    let disk = host.close();
    disk.remove_file(Path::new("/data/t-0/00000000000000000000.log")).unwrap();

    let mut host = Host::start(&disk);
    host.apply(image(1, 0, &[1]));
    assert!(host.partition("t", 0).await.is_none());
    let told: Vec<_> = host.manager.assignments().next().into_values().collect();
    assert_eq!(told, [ottla_metadata::image::LOST_DIRECTORY], "so that another one leads");
    host.apply(image(OTHER, 1, &[OTHER]));
    let copy = host.partition("t", 0).await.unwrap();
    assert_eq!(copy.offsets().log_end, Offset(0));
    assert!(host.folders().iter().any(|name| name.ends_with("-stray")), "{:?}", host.folders());
}

#[tokio::test]
async fn that_a_replica_is_lost_is_taken_back_once_it_is_copied_anew() {
    let mut host = Host::start(&SimDisk::new(1));
    host.apply(image(OTHER, 1, &[OTHER]));
    assert!(host.partition("t", 0).await.is_some());
    assert!(host.manager.assignments().next().is_empty());
    // Said before, decided after.
    let lost = PartitionChangeRecord {
        partition_id: 0,
        topic_id: host.image.topics.by_name("t").unwrap().id,
        directories: Some(vec![ottla_metadata::image::LOST_DIRECTORY, Uuid([8; 16])]),
        ..Default::default()
    };
    host.apply(host.image.apply(&[lost.into()]).unwrap().0);
    let told: Vec<_> = host.manager.assignments().next().into_values().collect();
    assert_eq!(told, [Uuid([9; 16])], "where it is");
}

#[tokio::test]
async fn records_are_deleted_once_every_replica_that_lives_has_deleted_them() {
    let (leading, leader) = host(1, 0, &[1, OTHER]).await;
    let (_following, follower) = host(OTHER, 0, &[1, OTHER]).await;
    for value in ["a", "b"] {
        leader.append(batch(value), Acks::All).unwrap();
    }
    for _ in 0..2 {
        fetch_once(&follower, &leader).await;
    }
    assert_eq!(leader.delete_records(Offset(1)).unwrap(), Offset(1));
    assert_eq!(leader.low_watermark(|_| true).unwrap(), Offset(0), "whoever leads next has them");
    assert_eq!(leader.low_watermark(|_| false).unwrap(), Offset(1));
    let moves = leading.manager.in_sync().log_start_moves();
    for _ in 0..2 {
        fetch_once(&follower, &leader).await;
    }
    moves.await;
    assert_eq!(leader.low_watermark(|_| true).unwrap(), Offset(1));
    leading.manager.lease().revoke();
    let refused = leader.delete_records(Offset(2)).unwrap_err();
    assert!(matches!(refused, DeleteRecordsError::Partition(PartitionError::LeaseRanOut)), "{refused}");
}
