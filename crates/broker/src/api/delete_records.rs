//! DeleteRecords: moves a partition's log start offset up, so that records below it are gone for readers.
//!
//! Offset −1 means up to the high watermark. Answered when the replicas on all brokers that live have done so too
//! (`DelayedDeleteRecords`): whoever leads next has the records no more. Errors, per partition: OFFSET_OUT_OF_RANGE beyond the
//! high watermark or below 0, POLICY_VIOLATION on a topic whose `cleanup.policy` does not delete, UNKNOWN_TOPIC_OR_PARTITION,
//! NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT while replicas still have records, INVALID_TOPIC_EXCEPTION for internal topics.

use std::sync::Arc;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use ottla_server::RequestContext;
use ottla_types::{Offset, PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::replica_manager::{Partition, PartitionError};

/// What this leader has deleted, and others have yet to.
struct Deleted {
    partition: Arc<Partition>,
    upto: Offset,
}

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let asked = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |partition| delete(broker, &topic.name, partition))
    });
    let deleted: Vec<Result<Deleted, ErrorCode>> = asked.collect();
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    // What is not done by then is answered so.
    let _ = tokio::time::timeout(timeout, everywhere(broker, &deleted)).await;

    let mut deleted = deleted.iter();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().zip(&mut deleted).map(|(asked, deleted)| {
            match deleted.as_ref().map_err(|error| *error).and_then(|deleted| deleted.low_watermark(broker)) {
                Ok(low_watermark) => result(asked, low_watermark.0, ErrorCode::NONE),
                Err(error) => result(asked, -1, error),
            }
        });
        DeleteRecordsTopicResult {
            partitions: partitions.collect(),
            name: topic.name.clone(),
            ..Default::default()
        }
    });
    DeleteRecordsResponse { topics: topics.collect(), ..Default::default() }
}

fn delete(broker: &Broker, topic: &str, asked: &DeleteRecordsPartition) -> Result<Deleted, ErrorCode> {
    if TopicName::from(topic).is_internal() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    let partition = broker
        .partition(topic, PartitionIndex(asked.partition_index))
        .map_err(|error| error.to_error_code())?;
    let upto = partition.delete_records(Offset(asked.offset)).map_err(|error| error.to_error_code())?;
    Ok(Deleted { partition, upto })
}

/// Returns once no replica of any partition has what was deleted.
async fn everywhere(broker: &Broker, deleted: &[Result<Deleted, ErrorCode>]) {
    let is_waited_for =
        |deleted: &Deleted| deleted.low_watermark(broker) == Err(ErrorCode::REQUEST_TIMED_OUT);
    let mut metadata = broker.metadata().changes();
    loop {
        let moves = broker.replicas.in_sync().log_start_moves();
        metadata.borrow_and_update();
        if !deleted.iter().flatten().any(is_waited_for) {
            return;
        }
        // Who lives and who leads changes with the metadata.
        tokio::select! {
            () = moves => {}
            changed = metadata.changed() => if changed.is_err() { return },
        }
    }
}

impl Deleted {
    /// Where the log of every replica begins at the earliest, once that is not below what was asked for.
    fn low_watermark(&self, broker: &Broker) -> Result<Offset, ErrorCode> {
        let image = broker.image();
        let low = self.partition.low_watermark(|id| image.brokers.is_active(id));
        let low = low.map_err(|error: PartitionError| error.to_error_code())?;
        if low >= self.upto { Ok(low) } else { Err(ErrorCode::REQUEST_TIMED_OUT) }
    }
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
