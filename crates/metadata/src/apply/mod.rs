//! Records applied to an image. The only way an image comes to be, besides a snapshot (which is records too).

mod brokers;
mod opaque;
mod topics;

use ottla_protocol::records::metadata::{self as wire, MetadataRecord};
use ottla_types::{BrokerEpoch, ByteString, NodeId, PartitionIndex, ProducerId, TopicId};

pub(crate) use self::topics::NO_LEADER_CHANGE;
use crate::delta::MetadataDelta;
use crate::image::{ConfigResource, MetadataImage, ProducerIds, ResourceKind};

/// A record that does not fit the image it is applied to. Whoever wrote it broke the rules or the log is damaged:
/// the node must stop rather than guess.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The record names a broker that is not registered, or another incarnation of it.
    #[error(
        "{record} names broker {broker} at epoch {epoch}, which is not registered; the metadata log is damaged"
    )]
    UnknownBroker {
        /// Which record.
        record: &'static str,
        /// The broker.
        broker: NodeId,
        /// The epoch that it names.
        epoch: BrokerEpoch,
    },
    /// The record names a topic that does not exist.
    #[error("{record} names topic id {topic}, which does not exist; the metadata log is damaged")]
    UnknownTopic {
        /// Which record.
        record: &'static str,
        /// The topic.
        topic: TopicId,
    },
    /// The record names a partition that does not exist, or would leave a gap.
    #[error(
        "{record} names partition {index} of topic id {topic}, which does not fit; the metadata log is damaged"
    )]
    UnknownPartition {
        /// Which record.
        record: &'static str,
        /// The topic.
        topic: TopicId,
        /// The partition.
        index: PartitionIndex,
    },
    /// A topic is created twice.
    #[error("topic '{name}' (id {topic}) is created although it exists; the metadata log is damaged")]
    TopicExists {
        /// Its name.
        name: ByteString,
        /// Its id.
        topic: TopicId,
    },
    /// A number without a meaning.
    #[error("{record}: {value} is no {what}; was this log written by a newer version?")]
    Value {
        /// Which record.
        record: &'static str,
        /// What the number should be.
        what: &'static str,
        /// The number.
        value: i64,
    },
}

impl MetadataImage {
    /// The image after `records`, which take the offsets that follow [`MetadataImage::offset`], and what they changed.
    pub fn apply(&self, records: &[MetadataRecord]) -> Result<(Self, MetadataDelta), ApplyError> {
        let mut image = self.clone();
        let mut delta = MetadataDelta::default();
        for record in records {
            image.apply_one(record, &mut delta)?;
            image.offset = image.offset.next();
        }
        Ok((image, delta))
    }

    fn apply_one(&mut self, record: &MetadataRecord, delta: &mut MetadataDelta) -> Result<(), ApplyError> {
        match record {
            MetadataRecord::RegisterBroker(record) => self.register_broker(record, delta),
            MetadataRecord::UnregisterBroker(record) => {
                self.broker_mut("UnregisterBrokerRecord", record.broker_id, record.broker_epoch, delta)?;
                self.brokers.remove(NodeId(record.broker_id));
            }
            MetadataRecord::BrokerRegistrationChange(record) => self.change_registration(record, delta)?,
            MetadataRecord::FenceBroker(record) => {
                self.broker_mut("FenceBrokerRecord", record.id, record.epoch, delta)?.fenced = true;
            }
            MetadataRecord::UnfenceBroker(record) => {
                self.broker_mut("UnfenceBrokerRecord", record.id, record.epoch, delta)?.fenced = false;
            }
            MetadataRecord::Topic(record) => self.create_topic(record, delta)?,
            MetadataRecord::RemoveTopic(record) => self.remove_topic(record, delta)?,
            MetadataRecord::Partition(record) => self.set_partition(record, delta)?,
            MetadataRecord::PartitionChange(record) => self.change_partition(record, delta)?,
            MetadataRecord::ClearElr(record) => self.clear_elr(record, delta),
            MetadataRecord::Config(record) => self.set_config(record, delta)?,
            MetadataRecord::FeatureLevel(record) => {
                self.features.set(detached(&record.name), record.feature_level);
                delta.features = true;
            }
            MetadataRecord::ProducerIds(record) => {
                self.producer_ids = ProducerIds {
                    next: ProducerId(record.next_producer_id),
                    last_broker: NodeId(record.broker_id),
                    last_broker_epoch: BrokerEpoch(record.broker_epoch),
                };
                delta.producer_ids = true;
            }
            MetadataRecord::RegisterController(_)
            | MetadataRecord::ClientQuota(_)
            | MetadataRecord::UserScramCredential(_)
            | MetadataRecord::RemoveUserScramCredential(_)
            | MetadataRecord::DelegationToken(_)
            | MetadataRecord::RemoveDelegationToken(_)
            | MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_) => {
                self.keep_opaque(record);
                delta.opaque = true;
            }
            // Batches are atomic here, so that the markers of Kafka's metadata transactions carry nothing.
            MetadataRecord::NoOp(_)
            | MetadataRecord::ZkMigrationState(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => {}
        }
        Ok(())
    }

    fn set_config(
        &mut self,
        record: &wire::ConfigRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        let kind = ResourceKind::from_code(record.resource_type)
            .ok_or_else(|| value_error("ConfigRecord", "kind of resource", record.resource_type))?;
        let resource = ConfigResource { kind, name: detached(&record.resource_name) };
        match &record.value {
            Some(value) => self.configs.set(resource.clone(), detached(&record.name), detached(value)),
            None => self.configs.unset(&resource, &record.name),
        }
        delta.configs.insert(resource);
        Ok(())
    }
}

/// A copy that does not keep the frame in memory which the text was read from: images live long.
fn detached(text: &ByteString) -> ByteString {
    ByteString::from(&**text)
}

fn value_error(record: &'static str, what: &'static str, value: i8) -> ApplyError {
    ApplyError::Value { record, what, value: value.into() }
}
