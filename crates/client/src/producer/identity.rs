//! Fetches a producer id (KIP-98).

use ottla_protocol::messages::init_producer_id::InitProducerIdRequest;
use ottla_types::{ProducerEpoch, ProducerId};

use super::batch::Identity;
use crate::Result;
use crate::cluster::Cluster;
use crate::error::check;

/// A new identity from any broker.
pub(super) async fn fetch(cluster: &Cluster) -> Result<Identity> {
    let connection = cluster.any().await?;
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: i32::MAX,
        producer_id: ProducerId::NONE.0,
        producer_epoch: ProducerEpoch::NONE.0,
        ..InitProducerIdRequest::default()
    };
    let response = connection.call(&request).await?;
    check(response.error_code, None, || "a producer id".to_owned())?;
    Ok(Identity { id: ProducerId(response.producer_id), epoch: ProducerEpoch(response.producer_epoch) })
}
