//! Who is near to a consumer that fetches: the brokers in its rack (KIP-392).

use std::sync::Arc;

use ottla_config::ReplicaSelector;
use ottla_metadata::MetadataImage;
use ottla_protocol::messages::fetch::FetchRequest;
use ottla_server::RequestContext;
use ottla_types::{ByteString, NodeId};

use crate::Broker;

/// A consumer's rack, as far as it counts.
pub(crate) struct Near {
    image: Arc<MetadataImage>,
    listener: Arc<str>,
    rack: ByteString,
}

impl Near {
    /// `None` where consumers read from leaders, wherever they are.
    pub(crate) fn of(broker: &Broker, cx: &RequestContext, request: &FetchRequest) -> Option<Self> {
        let counts = broker.config().replication.selector == ReplicaSelector::RackAware;
        (counts && !request.rack_id.is_empty()).then(|| Self {
            image: broker.image(),
            listener: cx.listener_name.clone(),
            rack: request.rack_id.clone(),
        })
    }

    /// Whether the broker is in the consumer's rack, and can be reached by it.
    pub(crate) fn has(&self, id: NodeId) -> bool {
        self.image.brokers.get(id).is_some_and(|broker| {
            !broker.fenced
                && broker.rack.as_ref() == Some(&self.rack)
                && broker.endpoint(&self.listener).is_some()
        })
    }
}
