//! DeleteRecords: moves a partition's log start offset up, so that records below it are gone for readers.
//!
//! Offset −1 means up to the high watermark. Errors, per partition: OFFSET_OUT_OF_RANGE beyond the high watermark or
//! below 0, POLICY_VIOLATION on a topic whose `cleanup.policy` does not delete, UNKNOWN_TOPIC_OR_PARTITION,
//! NOT_LEADER_OR_FOLLOWER, INVALID_TOPIC_EXCEPTION for internal topics.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use ottla_server::RequestContext;
use ottla_types::{Offset, PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| match delete(broker, &topic.name, asked) {
            Ok(low_watermark) => result(asked, low_watermark.0, ErrorCode::NONE),
            Err(error) => result(asked, -1, error),
        });
        DeleteRecordsTopicResult {
            partitions: partitions.collect(),
            name: topic.name.clone(),
            ..Default::default()
        }
    });
    DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
}

fn delete(broker: &Broker, topic: &str, asked: &DeleteRecordsPartition) -> Result<Offset, ErrorCode> {
    if TopicName::from(topic).is_internal() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    let partition = broker
        .partition(topic, PartitionIndex(asked.partition_index))
        .map_err(|error| error.to_error_code())?;
    partition.delete_records(Offset(asked.offset)).map_err(|error| error.to_error_code())
}

fn result(
    asked: &DeleteRecordsPartition,
    low_watermark: i64,
    error_code: ErrorCode,
) -> DeleteRecordsPartitionResult {
    DeleteRecordsPartitionResult {
        partition_index: asked.partition_index,
        low_watermark,
        error_code,
        ..Default::default()
    }
}
