//! A Kafka node's directory, file by file, as Kafka lays it out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use ottla_env::{Disk, OpenOptions, create_dir_durably};
use ottla_metadata::MetadataRecord;
use ottla_protocol::records::control::{LeaderChangeMessage, Voter};
use ottla_protocol::records::metadata as wire;
use ottla_protocol::{Message, Writer};
use ottla_records::{BatchBuilder, ControlType};
use ottla_simdisk::SimDisk;
use ottla_types::{LeaderEpoch, Offset, TopicId, Uuid};

use crate::{ImportError, ImportOptions, Report, import};

pub(crate) const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qk";
pub(crate) const KAFKA: &str = "/kafka";
pub(crate) const OTTLA: &str = "/ottla";
pub(crate) const NODE: i32 = 7;

pub(crate) fn directory(n: u8) -> Uuid {
    Uuid([n; 16])
}

/// The node, in one directory unless a test adds others.
pub(crate) struct Kafka {
    pub(crate) disk: SimDisk,
    pub(crate) voters: Vec<i32>,
    /// What the metadata log has, in one batch each.
    pub(crate) batches: Vec<Vec<MetadataRecord>>,
}

impl Kafka {
    /// With topic `orders` of two partitions, of which the first has ten records.
    pub(crate) fn new() -> Self {
        let features =
            [("metadata.version", 30), ("eligible.leader.replicas.version", 1), ("group.version", 1)];
        let features = features.map(|(name, level)| feature(name, level)).to_vec();
        let kafka = Self { disk: SimDisk::new(1), voters: vec![NODE], batches: vec![features] };
        kafka.write_directory(KAFKA, 1);
        let mut kafka = kafka;
        kafka.batches.push(vec![broker(NODE, vec![directory(1)])]);
        let id = directory(50);
        kafka.batches.push(vec![topic("orders", id), partition(id, 0, &[NODE]), partition(id, 1, &[NODE])]);
        kafka.batches.push(vec![
            config(2, "orders", "retention.ms", "1000"),
            config(4, "", "message.max.bytes", "2000000"),
            config(4, "7", "log.retention.ms", "-1"),
            wire::ProducerIdsRecord {
                broker_id: NODE,
                broker_epoch: 4,
                next_producer_id: 3000,
                ..Default::default()
            }
            .into(),
        ]);
        kafka.write_partition(KAFKA, "orders-0", id, 10);
        kafka.write_partition(KAFKA, "orders-1", id, 0);
        kafka.put(&format!("{KAFKA}/recovery-point-offset-checkpoint"), b"0\n2\norders 0 10\norders 1 0\n");
        kafka.put(&format!("{KAFKA}/replication-offset-checkpoint"), b"0\n2\norders 0 10\norders 1 0\n");
        kafka
    }

    pub(crate) fn write_directory(&self, dir: &str, id: u8) {
        create_dir_durably(&self.disk, Path::new(dir)).unwrap();
        let id = directory(id);
        let meta = format!(
            "#\n#Mon Nov 30 00:27:07 UTC 2026\nnode.id={NODE}\ndirectory.id={id}\nversion=1\ncluster.id={CLUSTER}\n"
        );
        self.put(&format!("{dir}/meta.properties"), meta.as_bytes());
        self.put(&format!("{dir}/.kafka_cleanshutdown"), br#"{"version":0,"brokerEpoch":4}"#);
    }

    pub(crate) fn write_partition(&self, dir: &str, folder: &str, topic: TopicId, records: i64) {
        let folder = format!("{dir}/{folder}");
        let batches = (0..records / 5).map(|i| records_of(i * 5, 5)).collect::<Vec<_>>().concat();
        self.put(&format!("{folder}/00000000000000000000.log"), &batches);
        self.put(&format!("{folder}/00000000000000000000.index"), b"");
        self.put(&format!("{folder}/00000000000000000000.timeindex"), b"");
        self.put(&format!("{folder}/leader-epoch-checkpoint"), b"0\n1\n0 0\n");
        self.put(
            &format!("{folder}/partition.metadata"),
            format!("version: 0\ntopic_id: {topic}").as_bytes(),
        );
    }

    /// Writes the file durably, with the folder that it is in.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = Path::new(path);
        create_dir_durably(&self.disk, path.parent().unwrap()).unwrap();
        let file = self.disk.open(path, OpenOptions::CREATE_EMPTY).unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file.sync_data().unwrap();
        self.disk.sync_dir(path.parent().unwrap()).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        self.disk.remove_file(Path::new(path)).unwrap();
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.disk.exists(Path::new(path)).unwrap()
    }

    /// Writes the metadata log.
    pub(crate) fn write_metadata(&self, dir: &str) {
        let mut log = leader_change(&self.voters).to_vec();
        let mut next = 1;
        for batch in &self.batches {
            log.extend(metadata_batch(next, batch));
            next += batch.len() as i64;
        }
        self.put(&format!("{dir}/__cluster_metadata-0/00000000000000000000.log"), &log);
    }

    pub(crate) fn import(&self) -> Result<Report, ImportError> {
        self.import_as(&options())
    }

    pub(crate) fn import_as(&self, options: &ImportOptions) -> Result<Report, ImportError> {
        if !self.exists("/kafka/__cluster_metadata-0") && !self.exists("/meta/__cluster_metadata-0") {
            self.write_metadata(KAFKA);
        }
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        import(&disk, options, &mut |_| {})
    }

    /// All files below `dir` with their bytes.
    pub(crate) fn files(&self, dir: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        for entry in self.disk.list(Path::new(dir)).unwrap() {
            let path = Path::new(dir).join(&entry.name);
            if entry.is_dir {
                files.extend(self.files(path.to_str().unwrap()));
                continue;
            }
            let file = self.disk.open(&path, OpenOptions::READ).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_exact_at(&mut bytes, 0).unwrap();
            files.push((path, bytes));
        }
        files
    }
}

pub(crate) fn options() -> ImportOptions {
    ImportOptions { sources: vec![KAFKA.into()], targets: vec![OTTLA.into()], ..ImportOptions::default() }
}

fn records_of(base: i64, count: i32) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(Offset(base)).leader_epoch(LeaderEpoch(0));
    for i in 0..count {
        builder.append(1_000, None, Some(format!("value {}", base + i64::from(i)).as_bytes()), &[]).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn metadata_batch(base: i64, records: &[MetadataRecord]) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(Offset(base)).leader_epoch(LeaderEpoch(1));
    for record in records {
        builder.append(1_000, None, Some(&record.encode().unwrap()), &[]).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn control(base: i64, kind: ControlType, value: &[u8]) -> Bytes {
    let mut builder =
        BatchBuilder::new().base_offset(Offset(base)).leader_epoch(LeaderEpoch(1)).control(true);
    builder.append(1_000, Some(&kind.key()), Some(value), &[]).unwrap();
    builder.build().unwrap()
}

pub(crate) fn leader_change(voters: &[i32]) -> Bytes {
    let voter = |id: &i32| Voter { voter_id: *id, ..Voter::default() };
    let message = LeaderChangeMessage {
        version: 0,
        leader_id: NODE,
        voters: voters.iter().map(voter).collect(),
        ..LeaderChangeMessage::default()
    };
    let mut w = Writer::new();
    message.encode(&mut w, 0).unwrap();
    control(0, ControlType::LeaderChange, &w.into_bytes())
}

pub(crate) fn feature(name: &'static str, level: i16) -> MetadataRecord {
    wire::FeatureLevelRecord { name: name.into(), feature_level: level, ..Default::default() }.into()
}

pub(crate) fn broker(id: i32, log_dirs: Vec<Uuid>) -> MetadataRecord {
    wire::RegisterBrokerRecord {
        broker_id: id,
        broker_epoch: 4,
        fenced: true,
        log_dirs,
        ..Default::default()
    }
    .into()
}

pub(crate) fn topic(name: &'static str, id: TopicId) -> MetadataRecord {
    wire::TopicRecord { name: name.into(), topic_id: id, ..Default::default() }.into()
}

/// As Kafka leaves it when its last broker has stopped: nobody leads.
pub(crate) fn partition(id: TopicId, index: i32, replicas: &[i32]) -> MetadataRecord {
    wire::PartitionRecord {
        partition_id: index,
        topic_id: id,
        replicas: replicas.to_vec(),
        isr: replicas.to_vec(),
        leader: -1,
        leader_epoch: 3,
        partition_epoch: 5,
        directories: vec![directory(1); replicas.len()],
        ..Default::default()
    }
    .into()
}

pub(crate) fn config(
    kind: i8,
    resource: &'static str,
    key: &'static str,
    value: &'static str,
) -> MetadataRecord {
    wire::ConfigRecord {
        resource_type: kind,
        resource_name: resource.into(),
        name: key.into(),
        value: Some(value.into()),
        ..Default::default()
    }
    .into()
}
