//! AllocateProducerIds: brokers get producer ids in blocks, so that no two brokers give out the same (KIP-730).

use ottla_protocol::records::metadata::ProducerIdsRecord;
use ottla_types::{BrokerEpoch, NodeId, ProducerId};

use crate::image::MetadataImage;
use crate::plan::Decision;
use crate::plan::broker_change::{StaleBrokerEpoch, check_broker_epoch};

/// How many ids a block has (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
pub const PRODUCER_ID_BLOCK_SIZE: i32 = 1000;

/// A broker's block of producer ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first id.
    pub first: ProducerId,
    /// How many there are.
    pub len: i32,
}

/// Why no block is handed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateProducerIdsError {
    /// An older incarnation asks.
    #[error(transparent)]
    Stale(#[from] StaleBrokerEpoch),
    /// 2⁶³ ids are gone.
    #[error("Exhausted all producerIds as the next block's end producerId has exceeded the int64 type limit")]
    Exhausted,
}

/// Hands the next block to `broker`.
pub fn plan_allocate_producer_ids(
    image: &MetadataImage,
    broker: NodeId,
    epoch: BrokerEpoch,
) -> Decision<Result<ProducerIdBlock, AllocateProducerIdsError>> {
    if let Err(stale) = check_broker_epoch(image, broker, epoch) {
        return Decision::unchanged(Err(stale.into()));
    }
    let first = image.producer_ids.next;
    let Some(next) = first.0.checked_add(PRODUCER_ID_BLOCK_SIZE.into()) else {
        return Decision::unchanged(Err(AllocateProducerIdsError::Exhausted));
    };
    let record = ProducerIdsRecord {
        broker_id: broker.0,
        broker_epoch: epoch.0,
        next_producer_id: next,
        ..ProducerIdsRecord::default()
    };
    Decision {
        records: vec![record.into()],
        answer: Ok(ProducerIdBlock { first, len: PRODUCER_ID_BLOCK_SIZE }),
    }
}
