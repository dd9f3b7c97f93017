//! Facts about the partitions of a broker, on the simulated disk.

mod clock_test;
mod faults_test;
mod follow_test;
mod idle_test;
mod strays_test;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ottla_env::{Disk, ManualClock, SteadyClock};
use ottla_metadata::{LocalChange, MetadataDelta, MetadataImage, MetadataRecord};
use ottla_protocol::records::metadata::{PartitionRecord, TopicRecord};
use ottla_records::BatchBuilder;
use ottla_simdisk::SimDisk;
use ottla_storage::{LogConfig, LogDir, LogDirOptions};
use ottla_types::{ByteString, Bytes, NodeId, PartitionIndex, Uuid};
use tokio::time::Instant;

use super::{Acks, Partition, ReplicaManager, SyncMode, SyncPolicy};
use crate::effective_configs::PartitionConfig;

const ME: NodeId = NodeId(1);
pub(super) const NOW: i64 = 1_700_000_000_000;

pub(super) fn config() -> PartitionConfig {
    PartitionConfig {
        log: LogConfig { preallocate: false, ..LogConfig::default() }.into(),
        sync: SyncPolicy { mode: SyncMode::Fsync, flush_messages: i64::MAX, flush_within: None },
        min_insync_replicas: 1,
        leader_throttled: Default::default(),
        follower_throttled: Default::default(),
    }
}

/// An image in which this broker leads the partitions of a new topic, and what that means for it.
pub(crate) fn created(topic: &'static str, id: u8, partitions: i32) -> (MetadataImage, Vec<LocalChange>) {
    let before = MetadataImage::empty();
    let (after, delta) = before.apply(&creation(topic, id, partitions)).unwrap();
    let leads = delta.topics.local_changes(ME, &before, &after).leads;
    (after, leads)
}

fn creation(topic: &'static str, id: u8, partitions: i32) -> Vec<MetadataRecord> {
    let topic_id = Uuid([id; 16]);
    let name = ByteString::from_static(topic);
    let mut records: Vec<MetadataRecord> = vec![TopicRecord { name, topic_id, ..Default::default() }.into()];
    records.extend((0..partitions).map(|partition_id| {
        let partition = PartitionRecord {
            partition_id,
            topic_id,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![Uuid([9; 16])],
            ..Default::default()
        };
        MetadataRecord::from(partition)
    }));
    records
}

/// A broker's partitions, with the metadata that they follow.
pub(crate) struct Host {
    disk: SimDisk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) manager: Arc<ReplicaManager>,
    pub(crate) image: MetadataImage,
}

impl Host {
    pub(crate) fn start(disk: &SimDisk) -> Self {
        Self::start_at(disk, NOW)
    }

    /// Likewise, while the system's clock says `wall_ms`.
    fn start_at(disk: &SimDisk, wall_ms: i64) -> Self {
        let options = LogDirOptions { new_directory_id: Uuid([9; 16]), ..LogDirOptions::new("cluster", ME) };
        let opened = LogDir::open(Arc::new(disk.clone()), Path::new("/data"), &options).unwrap();
        let clock = Arc::new(ManualClock::at_wall_ms(wall_ms));
        let steady = SteadyClock::new(Arc::clone(&clock) as Arc<_>, opened.0.noted_time());
        let manager = ReplicaManager::new(ME, Arc::new(steady), vec![opened], Vec::new(), 1).unwrap();
        manager.lease().hold();
        Self { disk: disk.clone(), clock, manager, image: MetadataImage::empty() }
    }

    /// The metadata becomes `after`.
    pub(crate) fn apply(&mut self, after: MetadataImage) {
        let delta = MetadataDelta::between(&self.image, &after);
        self.manager.apply(&self.image, &after, &delta, |_| config());
        self.image = after;
    }

    /// The partition, once it is open.
    pub(crate) async fn partition(&self, topic: &str, index: i32) -> Option<Arc<Partition>> {
        let index = PartitionIndex(index);
        self.manager.opening().opened(topic, index, Instant::now() + Duration::from_secs(30)).await;
        self.manager.partition(topic, index)
    }

    pub(crate) fn close(self) -> SimDisk {
        self.manager.close(ottla_types::BrokerEpoch(1));
        self.disk
    }

    /// The names of the partitions' folders.
    fn folders(&self) -> Vec<String> {
        let entries = self.disk.list(Path::new("/data")).unwrap();
        entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name).collect()
    }
}

fn batch(value: &str) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.append(NOW, None, Some(value.as_bytes()), &[]).unwrap();
    builder.build().unwrap()
}

/// Appends with acks=all and waits for the acknowledgement.
async fn produce(partition: &Arc<Partition>, value: &str) {
    let appended = partition.append(batch(value), Acks::All).unwrap();
    if let Some(acknowledged) = appended.acknowledged {
        assert_eq!(acknowledged.await, Ok(super::AckOutcome::Committed));
    }
}
