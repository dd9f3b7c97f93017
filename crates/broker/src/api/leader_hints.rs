//! Who leads, for a client that asked the wrong broker (KIP-951).

use std::collections::BTreeSet;

use ottla_metadata::MetadataImage;
use ottla_protocol::ErrorCode;
use ottla_server::RequestContext;
use ottla_types::{ByteString, NodeId, PartitionIndex, TopicId};

use crate::Broker;

/// Leaders named in one response, and so the endpoints that it must carry.
#[derive(Debug, Default)]
pub(crate) struct LeaderHints {
    leaders: BTreeSet<NodeId>,
}

impl LeaderHints {
    /// The leader's id and epoch, if `error` is that this broker does not lead and somebody does.
    pub(crate) fn find(
        &mut self,
        broker: &Broker,
        _cx: &RequestContext,
        error: ErrorCode,
        topic: &str,
        topic_id: TopicId,
        partition: i32,
    ) -> Option<(i32, i32)> {
        if !matches!(error, ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::FENCED_LEADER_EPOCH) {
            return None;
        }
        let image = broker.image();
        let topic =
            if topic_id.is_zero() { image.topics.by_name(topic) } else { image.topics.by_id(topic_id) };
        // Where the metadata is as old as what this broker believes, it knows nobody better.
        let partition =
            topic?.partition(PartitionIndex(partition)).filter(|p| p.leader != broker.node_id())?;
        if partition.has_leader() {
            self.leaders.insert(partition.leader);
        }
        Some((partition.leader.0, partition.leader_epoch.0))
    }

    /// Node id, host, port and rack of the leaders named.
    pub(crate) fn endpoints<'a>(
        &'a self,
        image: &'a MetadataImage,
        cx: &'a RequestContext,
    ) -> impl Iterator<Item = (i32, ByteString, i32, Option<ByteString>)> + 'a {
        self.leaders.iter().filter_map(|&id| {
            let node = image.brokers.get(id)?;
            let endpoint = node.endpoint(&cx.listener_name)?;
            Some((id.0, endpoint.host.clone(), i32::from(endpoint.port), node.rack.clone()))
        })
    }
}
