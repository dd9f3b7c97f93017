//! Producer ids, handed out one by one from blocks that the controller allocates (KIP-730).

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::allocate_producer_ids::AllocateProducerIdsRequest;
use ottla_types::{BrokerEpoch, NodeId, ProducerId};
use tokio::sync::Mutex;

use crate::controller_channel::{ChannelError, ControllerChannel};
use crate::lifecycle::Registration;

/// Why there is no producer id now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoProducerId {
    #[error(transparent)]
    Channel(#[from] ChannelError),
    #[error("the controller refused a block of producer ids: {0:?}")]
    Refused(ErrorCode),
}

/// Hands out producer ids.
#[derive(Debug)]
pub(crate) struct ProducerIds {
    node_id: NodeId,
    /// What is left of the block. Held while the next one is fetched, so that one request fetches it for all.
    block: Mutex<std::ops::Range<i64>>,
}

impl ProducerIds {
    pub(crate) fn new(node_id: NodeId) -> Self {
        Self { node_id, block: Mutex::new(0..0) }
    }

    /// An id that no producer had before.
    pub(crate) async fn next(
        &self,
        controller: &ControllerChannel,
        registration: &Registration,
    ) -> Result<ProducerId, NoProducerId> {
        let mut block = self.block.lock().await;
        loop {
            if let Some(id) = block.next() {
                return Ok(ProducerId(id));
            }
            *block = self.fetch(controller, registration.broker_epoch()).await?;
        }
    }

    async fn fetch(
        &self,
        controller: &ControllerChannel,
        broker_epoch: BrokerEpoch,
    ) -> Result<std::ops::Range<i64>, NoProducerId> {
        let request = AllocateProducerIdsRequest {
            broker_id: self.node_id.0,
            broker_epoch: broker_epoch.0,
            ..Default::default()
        };
        let response = controller.send(&request).await?;
        if response.error_code != ErrorCode::NONE {
            return Err(NoProducerId::Refused(response.error_code));
        }
        let start = response.producer_id_start;
        Ok(start..start.saturating_add(i64::from(response.producer_id_len)))
    }
}
