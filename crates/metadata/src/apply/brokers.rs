//! Records about brokers.

use ottla_protocol::records::metadata as wire;
use ottla_types::{BrokerEpoch, NodeId};

use super::{ApplyError, detached, value_error};
use crate::delta::MetadataDelta;
use crate::image::{BrokerImage, Endpoint, FeatureRange, MetadataImage};

impl MetadataImage {
    pub(super) fn register_broker(&mut self, record: &wire::RegisterBrokerRecord, delta: &mut MetadataDelta) {
        let id = NodeId(record.broker_id);
        self.brokers.insert(BrokerImage {
            id,
            epoch: BrokerEpoch(record.broker_epoch),
            incarnation_id: record.incarnation_id,
            endpoints: record
                .end_points
                .iter()
                .map(|endpoint| Endpoint {
                    listener: detached(&endpoint.name),
                    host: detached(&endpoint.host),
                    port: endpoint.port,
                    security_protocol: endpoint.security_protocol,
                })
                .collect(),
            features: record
                .features
                .iter()
                .map(|feature| FeatureRange {
                    name: detached(&feature.name),
                    min: feature.min_supported_version,
                    max: feature.max_supported_version,
                })
                .collect(),
            rack: record.rack.as_ref().map(detached),
            fenced: record.fenced,
            in_controlled_shutdown: record.in_controlled_shutdown,
            directories: record.log_dirs.clone(),
            cordoned_directories: record.cordoned_log_dirs.clone(),
        });
        delta.brokers.insert(id);
    }

    pub(super) fn change_registration(
        &mut self,
        record: &wire::BrokerRegistrationChangeRecord,
        delta: &mut MetadataDelta,
    ) -> Result<(), ApplyError> {
        const RECORD: &str = "BrokerRegistrationChangeRecord";
        let broker = self.broker_mut(RECORD, record.broker_id, record.broker_epoch, delta)?;
        match record.fenced {
            0 => {}
            1 => broker.fenced = true,
            -1 => broker.fenced = false,
            value => return Err(value_error(RECORD, "change of fencing", value)),
        }
        match record.in_controlled_shutdown {
            0 => {}
            1 => broker.in_controlled_shutdown = true,
            value => return Err(value_error(RECORD, "change of controlled shutdown", value)),
        }
        if !record.log_dirs.is_empty() {
            broker.directories.clone_from(&record.log_dirs);
        }
        if let Some(cordoned) = &record.cordoned_log_dirs {
            broker.cordoned_directories = Some(cordoned.clone());
        }
        Ok(())
    }

    pub(super) fn broker_mut(
        &mut self,
        record: &'static str,
        id: i32,
        epoch: i64,
        delta: &mut MetadataDelta,
    ) -> Result<&mut BrokerImage, ApplyError> {
        let (broker, epoch) = (NodeId(id), BrokerEpoch(epoch));
        delta.brokers.insert(broker);
        self.brokers
            .get_mut(broker)
            .filter(|registered| registered.epoch == epoch)
            .ok_or(ApplyError::UnknownBroker { record, broker, epoch })
    }
}
