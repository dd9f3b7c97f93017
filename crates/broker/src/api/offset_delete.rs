//! OffsetDelete: forgets how far a group has consumed some partitions (KIP-496).
//!
//! Errors, for the whole: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, INVALID_GROUP_ID, NOT_COORDINATOR. Per partition:
//! GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION.

use ottla_group_coordinator::{DeletedTopicOffsets, GroupRequest, GroupResponse, OffsetDelete};
use ottla_protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let image = broker.image();
    let (known, unknown): (Vec<_>, Vec<_>) =
        request.topics.iter().partition(|topic| image.topics.by_name(&topic.name).is_some());
    let delete = OffsetDelete {
        group_id: request.group_id.clone(),
        topics: known
            .iter()
            .map(|topic| {
                let partitions =
                    topic.partitions.iter().map(|partition| PartitionIndex(partition.partition_index));
                (TopicName::from(topic.name.clone()), partitions.collect())
            })
            .collect(),
    };
    let pick =
        |response| if let GroupResponse::DeleteOffsets(topics) = response { Some(topics) } else { None };
    match broker.groups().ask(&image, &request.group_id, GroupRequest::DeleteOffsets(delete), pick).await {
        Ok(deleted) => {
            let deleted = deleted.into_iter().map(answer);
            let topics = deleted.chain(unknown.into_iter().map(no_such_topic)).collect();
            OffsetDeleteResponse { topics, ..Default::default() }
        }
        Err(error) => request.error_response(cx.version, error.to_error_code()),
    }
}

fn answer(topic: DeletedTopicOffsets) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.into_iter().map(|(partition, result)| OffsetDeleteResponsePartition {
        partition_index: partition.0,
        error_code: result.map_or_else(|error| error.to_error_code(), |()| ErrorCode::NONE),
    });
    OffsetDeleteResponseTopic { name: topic.topic.into(), partitions: partitions.collect() }
}

fn no_such_topic(topic: &OffsetDeleteRequestTopic) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| OffsetDeleteResponsePartition {
        partition_index: partition.partition_index,
        error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
    });
    OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
}
