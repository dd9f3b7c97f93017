//! A small cluster for tests.

use ottla_protocol::records::metadata::FeatureLevelRecord;
use ottla_types::{BrokerEpoch, NodeId, Offset, TopicId, Uuid};

use crate::image::{
    ELR_VERSION, Endpoint, FeatureRange, METADATA_VERSION, MetadataImage, PartitionImage, SUPPORTED_FEATURES,
};
use crate::plan::*;
use crate::{MetadataRecord, Settings, decode_batch, encode_batch};

pub(crate) const CLUSTER: &str = "cluster";

/// A cluster whose decisions take effect at once.
pub(crate) struct Cluster {
    pub(crate) image: MetadataImage,
    pub(crate) settings: Settings,
    state: u64,
}

impl Cluster {
    /// Brokers 1 to `brokers`, all active; without eligible leader replicas.
    pub(crate) fn new(brokers: i32) -> Self {
        let mut cluster = Self { image: MetadataImage::empty(), settings: Settings::default(), state: 1 };
        cluster.take(plan_bootstrap(&cluster.image, &cluster.settings));
        assert!(cluster.image.features.elr_enabled(), "as in a new cluster of Kafka 4.3");
        let off = FeatureUpdate {
            name: ELR_VERSION.into(),
            level: 0,
            update_type: Some(UpdateType::SafeDowngrade),
        };
        cluster
            .take(plan_update_features(&cluster.image, &cluster.settings, NodeId(1), &[], &[off], false))
            .unwrap();
        for id in 1..=brokers {
            cluster.start(id);
        }
        cluster
    }

    /// The same where this level of `metadata.version` is finalized.
    pub(crate) fn at_level(level: i16, brokers: i32) -> Self {
        let mut cluster = Self { image: MetadataImage::empty(), settings: Settings::default(), state: 1 };
        let record = FeatureLevelRecord {
            name: METADATA_VERSION.into(),
            feature_level: level,
            ..FeatureLevelRecord::default()
        };
        cluster.apply(&[record.into()]);
        for id in 1..=brokers {
            cluster.start(id);
        }
        cluster
    }

    pub(crate) fn take<T>(&mut self, decision: Decision<T>) -> T {
        self.apply(&decision.records);
        decision.answer
    }

    /// Through the bytes: the finalized level has to be able to say it.
    pub(crate) fn apply(&mut self, records: &[MetadataRecord]) {
        let batch = encode_batch(&self.image.features, self.image.offset.next(), records).unwrap();
        self.image = self.image.apply(&decode_batch(batch).unwrap().records).unwrap().0;
    }

    /// Registers a new incarnation.
    pub(crate) fn register(&mut self, id: i32) -> BrokerEpoch {
        let registration = registration(id, self.image.offset.0);
        self.take(plan_register_broker(&self.image, &self.settings, CLUSTER, &registration, true)).unwrap()
    }

    /// Registers and unfences.
    pub(crate) fn start(&mut self, id: i32) -> BrokerEpoch {
        let epoch = self.register(id);
        assert!(!self.beat(heartbeat(id, epoch)).is_fenced);
        epoch
    }

    pub(crate) fn beat(&mut self, heartbeat: Heartbeat) -> HeartbeatAnswer {
        self.take(plan_heartbeat(&self.image, &self.settings, &heartbeat, NO_PROGRESS)).unwrap()
    }

    pub(crate) fn fence(&mut self, id: i32) {
        let id = NodeId(id);
        let epoch = self.image.brokers.get(id).map_or(BrokerEpoch(-1), |broker| broker.epoch);
        self.take(plan_fence_broker(&self.image, &self.settings, id, epoch));
    }

    pub(crate) fn create(&mut self, topic: NewTopic) -> Result<CreatedTopic, CreateTopicError> {
        let (image, settings, state) = (&self.image, &self.settings, &mut self.state);
        let decision = plan_create_topics(image, settings, &[topic], false, &mut || draw(state));
        self.take(decision).remove(0).1
    }

    /// A topic with one partition on `replicas`.
    pub(crate) fn topic(&mut self, name: &str, replicas: &[i32]) -> TopicId {
        let assignments = vec![(0.into(), nodes(replicas))];
        self.create(NewTopic { assignments, ..new_topic(name, -1, -1) }).unwrap().id
    }

    pub(crate) fn partition(&self, topic: TopicId) -> &PartitionImage {
        self.image.topics.partition(topic, 0.into()).unwrap()
    }

    /// Leader, ISR and ELR of partition 0.
    pub(crate) fn state(&self, topic: TopicId) -> (i32, Vec<i32>, Vec<i32>) {
        let partition = self.partition(topic);
        let ids = |nodes: &[NodeId]| nodes.iter().map(|id| id.0).collect();
        (partition.leader.0, ids(&partition.isr), ids(&partition.elr))
    }

    /// Restarts the controller with these static settings.
    pub(crate) fn configure(&mut self, pairs: &[&str]) {
        let flags: Vec<_> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
        let configured = ottla_config::Settings::load(None, [], &flags).unwrap();
        self.settings = Settings::new(std::sync::Arc::new(configured));
    }

    pub(crate) fn draw(&mut self) -> u64 {
        draw(&mut self.state)
    }
}

pub(crate) const NO_PROGRESS: SessionFacts =
    SessionFacts { fenced_at: Offset::NONE, decided_at: None, lowest_active_offset: None, is_behind: false };

fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    state.rotate_left(32)
}

pub(crate) fn registration(id: i32, incarnation: i64) -> Registration {
    Registration {
        broker: NodeId(id),
        cluster_id: CLUSTER.into(),
        incarnation_id: uuid(1000 * i64::from(id) + incarnation + 1),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".into(),
            host: "localhost".into(),
            port: 9092,
            security_protocol: 0,
        }],
        features: SUPPORTED_FEATURES
            .iter()
            .map(|&(name, min, max)| FeatureRange { name: name.into(), min, max })
            .collect(),
        rack: None,
        directories: vec![uuid(77_000 + i64::from(id))],
        previous_epoch: BrokerEpoch::NONE,
    }
}

pub(crate) fn heartbeat(id: i32, epoch: BrokerEpoch) -> Heartbeat {
    Heartbeat {
        broker: NodeId(id),
        epoch,
        metadata_offset: Offset(epoch.0),
        want_fence: false,
        want_shut_down: false,
        offline_directories: Vec::new(),
        cordoned_directories: None,
    }
}

pub(crate) fn new_topic(name: &str, partitions: i32, replication_factor: i16) -> NewTopic {
    NewTopic { name: name.into(), partitions, replication_factor, ..NewTopic::default() }
}

pub(crate) fn nodes(ids: &[i32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId).collect()
}

pub(crate) fn uuid(number: i64) -> Uuid {
    Uuid(i128::from(number).to_be_bytes())
}
