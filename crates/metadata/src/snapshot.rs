//! An image as the records that make it.

use ottla_protocol::records::metadata as wire;
use ottla_types::{NodeId, Offset, PartitionIndex, TopicId};

use crate::apply::ApplyError;
use crate::delta::MetadataDelta;
use crate::image::{BrokerImage, MetadataImage, PartitionImage};
use ottla_protocol::records::metadata::MetadataRecord;

impl MetadataImage {
    /// The records that make this image out of an empty one, in an order that can be applied. Features come first, as
    /// in Kafka: they say how to read the rest.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        for (name, level) in self.features.iter() {
            records.push(
                wire::FeatureLevelRecord { name: name.clone(), feature_level: level, ..Default::default() }
                    .into(),
            );
        }
        records.extend(self.brokers.iter().map(|broker| register_broker(broker).into()));
        for topic in self.topics.iter() {
            records.push(
                wire::TopicRecord {
                    name: topic.name.clone().into(),
                    topic_id: topic.id,
                    ..Default::default()
                }
                .into(),
            );
            records.extend(
                topic
                    .partitions()
                    .map(|(index, partition)| partition_record(topic.id, index, partition).into()),
            );
        }
        for (resource, values) in self.configs.iter() {
            records.extend(values.iter().map(|(key, value)| {
                MetadataRecord::from(wire::ConfigRecord {
                    resource_type: resource.kind.code(),
                    resource_name: resource.name.clone(),
                    name: key.clone(),
                    value: Some(value.clone()),
                    ..Default::default()
                })
            }));
        }
        if self.producer_ids != Default::default() {
            records.push(
                wire::ProducerIdsRecord {
                    broker_id: self.producer_ids.last_broker.0,
                    broker_epoch: self.producer_ids.last_broker_epoch.0,
                    next_producer_id: self.producer_ids.next.0,
                    ..Default::default()
                }
                .into(),
            );
        }
        records.extend(self.opaque.iter().map(|(_, record)| (**record).clone()));
        records
    }

    /// The image that `records`, made by [`MetadataImage::to_records`] at `offset`, stand for.
    pub fn from_records(offset: Offset, records: &[MetadataRecord]) -> Result<Self, ApplyError> {
        let (mut image, _): (_, MetadataDelta) = Self::empty().apply(records)?;
        image.offset = offset;
        Ok(image)
    }
}

/// The record that registers `broker` as it is.
pub(crate) fn register_broker(broker: &BrokerImage) -> wire::RegisterBrokerRecord {
    wire::RegisterBrokerRecord {
        broker_id: broker.id.0,
        is_migrating_zk_broker: false,
        incarnation_id: broker.incarnation_id,
        broker_epoch: broker.epoch.0,
        end_points: broker
            .endpoints
            .iter()
            .map(|endpoint| wire::BrokerEndpoint {
                name: endpoint.listener.clone(),
                host: endpoint.host.clone(),
                port: endpoint.port,
                security_protocol: endpoint.security_protocol,
                ..Default::default()
            })
            .collect(),
        features: broker
            .features
            .iter()
            .map(|feature| wire::BrokerFeature {
                name: feature.name.clone(),
                min_supported_version: feature.min,
                max_supported_version: feature.max,
                ..Default::default()
            })
            .collect(),
        rack: broker.rack.clone(),
        fenced: broker.fenced,
        in_controlled_shutdown: broker.in_controlled_shutdown,
        log_dirs: broker.directories.clone(),
        cordoned_log_dirs: broker.cordoned_directories.clone(),
        ..Default::default()
    }
}

/// The record that makes `partition` as it is.
pub(crate) fn partition_record(
    topic: TopicId,
    index: PartitionIndex,
    partition: &PartitionImage,
) -> wire::PartitionRecord {
    wire::PartitionRecord {
        partition_id: index.0,
        topic_id: topic,
        replicas: ids(&partition.replicas),
        isr: ids(&partition.isr),
        removing_replicas: ids(&partition.removing_replicas),
        adding_replicas: ids(&partition.adding_replicas),
        leader: partition.leader.0,
        leader_recovery_state: partition.leader_recovery_state.code(),
        leader_epoch: partition.leader_epoch.0,
        partition_epoch: partition.partition_epoch.0,
        directories: partition.directories.to_vec(),
        eligible_leader_replicas: some_ids(&partition.elr),
        last_known_elr: some_ids(&partition.last_known_elr),
        ..Default::default()
    }
}

pub(crate) fn ids(nodes: &[NodeId]) -> Vec<i32> {
    nodes.iter().map(|node| node.0).collect()
}

fn some_ids(nodes: &[NodeId]) -> Option<Vec<i32>> {
    (!nodes.is_empty()).then(|| ids(nodes))
}
