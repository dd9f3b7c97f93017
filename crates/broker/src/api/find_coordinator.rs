//! FindCoordinator: which broker leads the internal partition that a group belongs to.
//!
//! Key type 0 is a group. Transactions (1) and share groups (2) have no coordinator here yet: INVALID_REQUEST, which
//! clients do not retry. Up to version 3 one key and a flat answer, from 4 on a list of keys (KIP-699), with errors
//! per key. The first call creates `__consumer_offsets`. Errors: COORDINATOR_NOT_AVAILABLE while it has no leader.

use ottla_coordinator::partition_for;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use ottla_server::RequestContext;
use ottla_types::{ByteString, TopicName};

use crate::{Broker, OFFSETS_TOPIC};

const GROUP: i8 = 0;
const BATCHED_FROM: i16 = 4;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    if cx.version < BATCHED_FROM {
        let found = find(broker, cx, request.key_type, request.key).await;
        return FindCoordinatorResponse {
            error_code: found.error_code,
            error_message: found.error_message,
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            ..Default::default()
        };
    }
    let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
    for key in request.coordinator_keys {
        coordinators.push(find(broker, cx, request.key_type, key).await);
    }
    FindCoordinatorResponse { coordinators, ..Default::default() }
}

async fn find(broker: &Broker, cx: &RequestContext, key_type: i8, key: ByteString) -> Coordinator {
    if key_type != GROUP {
        let message =
            "this cluster coordinates consumer groups only; transactions and share groups are not there yet";
        return refuse(key, ErrorCode::INVALID_REQUEST, message);
    }
    if broker.image().topics.by_name(OFFSETS_TOPIC).is_none() {
        let refused = broker.auto_topics().create(&[TopicName::from(OFFSETS_TOPIC)]).await;
        if !refused.is_empty() {
            return refuse(
                key,
                ErrorCode::COORDINATOR_NOT_AVAILABLE,
                "the offsets topic is being created; retry",
            );
        }
    }
    let image = broker.image();
    let topic = image.topics.by_name(OFFSETS_TOPIC);
    let endpoint = topic.and_then(|topic| {
        let index = partition_for(&key, u32::try_from(topic.partition_count()).unwrap_or(0))?;
        let leader = image.brokers.get(topic.partition(index)?.leader).filter(|leader| !leader.fenced)?;
        Some((leader.id, leader.endpoint(&cx.listener_name)?.clone()))
    });
    match endpoint {
        Some((id, endpoint)) => Coordinator {
            key,
            node_id: id.0,
            host: endpoint.host,
            port: i32::from(endpoint.port),
            error_code: ErrorCode::NONE,
            ..Default::default()
        },
        None => {
            refuse(key, ErrorCode::COORDINATOR_NOT_AVAILABLE, "the group's partition has no leader; retry")
        }
    }
}

fn refuse(key: ByteString, error_code: ErrorCode, message: &str) -> Coordinator {
    Coordinator {
        key,
        node_id: -1,
        host: ByteString::new(),
        port: -1,
        error_code,
        error_message: Some(ByteString::from(message)),
        ..Default::default()
    }
}
