//! OffsetDelete: forgets how far a group has consumed some partitions (KIP-496).
//!
//! Errors, for the whole: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, INVALID_GROUP_ID, NOT_COORDINATOR. Per partition:
//! GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION.

use std::collections::HashMap;

use ottla_group_coordinator::{DeletedTopicOffsets, GroupRequest, GroupResponse, OffsetDelete};
use ottla_protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{ByteString, PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let image = broker.image();
    let exists = |topic: &str, index: i32| {
        image.topics.by_name(topic).is_some_and(|topic| topic.partition(PartitionIndex(index)).is_some())
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for OffsetDeleteRequestTopic { name, partitions } in &request.topics {
        let indexes = partitions.iter().map(|partition| partition.partition_index);
        let (there, missing): (Vec<_>, Vec<_>) = indexes.partition(|index| exists(name, *index));
        if !there.is_empty() {
            known.push((TopicName::from(name.clone()), there.into_iter().map(PartitionIndex).collect()));
        }
        unknown.push((name, missing));
    }
    let delete = OffsetDelete { group_id: request.group_id.clone(), topics: known };
    let pick =
        |response| if let GroupResponse::DeleteOffsets(topics) = response { Some(topics) } else { None };
    match broker.groups().ask(&image, &request.group_id, GroupRequest::DeleteOffsets(delete), pick).await {
        Ok(deleted) => {
            let mut deleted: HashMap<_, _> = deleted.into_iter().map(answer).collect();
            let topics = unknown.into_iter().map(|(name, missing)| OffsetDeleteResponseTopic {
                partitions: deleted
                    .remove(name)
                    .into_iter()
                    .flatten()
                    .chain(missing.into_iter().map(no_such))
                    .collect(),
                name: name.clone(),
            });
            OffsetDeleteResponse { topics: topics.collect(), ..Default::default() }
        }
        Err(error) => request.error_response(cx.version, error.to_error_code()),
    }
}

fn answer(topic: DeletedTopicOffsets) -> (ByteString, Vec<OffsetDeleteResponsePartition>) {
    let partitions = topic.partitions.into_iter().map(|(partition, result)| OffsetDeleteResponsePartition {
        partition_index: partition.0,
        error_code: result.map_or_else(|error| error.to_error_code(), |()| ErrorCode::NONE),
    });
    (topic.topic.into(), partitions.collect())
}

const fn no_such(partition_index: i32) -> OffsetDeleteResponsePartition {
    OffsetDeleteResponsePartition { partition_index, error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION }
}
