//! A broker's session has ended, or it is taken out of the cluster.

use std::sync::Arc;

use ottla_protocol::records::metadata::UnregisterBrokerRecord;
use ottla_types::{BrokerEpoch, NodeId};

use crate::image::{BrokerImage, MetadataImage};
use crate::plan::Decision;
use crate::plan::broker_change::{BrokerChange, fencing_record, partition_changes};
use crate::settings::Settings;

/// There is no such broker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Broker ID {0} is not currently registered")]
pub struct BrokerNotRegistered(pub NodeId);

/// Fences the incarnation of `broker` that registered with `epoch`: it leaves every ISR and leads nothing any more.
/// Nothing changes if it is fenced already, or another incarnation has taken its place. The answer tells whether it was
/// active.
pub fn plan_fence_broker(
    image: &MetadataImage,
    settings: &Settings,
    broker: NodeId,
    epoch: BrokerEpoch,
) -> Decision<bool> {
    let is_meant = |registered: &&Arc<BrokerImage>| registered.epoch == epoch && !registered.fenced;
    let Some(registered) = image.brokers.get(broker).filter(is_meant) else {
        return Decision::unchanged(false);
    };
    let mut records = partition_changes(image, settings, BrokerChange::Leaves(broker));
    records.push(fencing_record(registered, true));
    Decision { records, answer: true }
}

/// UnregisterBroker: forgets the registration of `broker`. Its replicas stay assigned to it.
pub fn plan_unregister_broker(
    image: &MetadataImage,
    settings: &Settings,
    broker: NodeId,
) -> Decision<Result<(), BrokerNotRegistered>> {
    let Some(registered) = image.brokers.get(broker) else {
        return Decision::unchanged(Err(BrokerNotRegistered(broker)));
    };
    let mut records = partition_changes(image, settings, BrokerChange::Unregisters(broker));
    let record = UnregisterBrokerRecord {
        broker_id: broker.0,
        broker_epoch: registered.epoch.0,
        ..UnregisterBrokerRecord::default()
    };
    records.push(record.into());
    Decision { records, answer: Ok(()) }
}
