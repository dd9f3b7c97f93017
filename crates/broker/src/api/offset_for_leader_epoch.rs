//! OffsetForLeaderEpoch: where an epoch ended in the leader's log, so that clients and followers notice truncation
//! (KIP-279, KIP-320).
//!
//! Answers the largest epoch at or below the one asked, and its end; −1 and −1 if there is none.
//! Errors, per partition: UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};
use ottla_server::RequestContext;
use ottla_types::{LeaderEpoch, PartitionIndex, TopicName};

use crate::Broker;
use crate::error_codes::ToErrorCode;

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let named = request.topics.iter().flat_map(|topic| {
        let name = TopicName::from(topic.topic.clone());
        topic.partitions.iter().map(move |asked| (name.clone(), PartitionIndex(asked.partition)))
    });
    broker.opened(broker.unopened(named)).await;
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| end_of_epoch(broker, &topic.topic, asked));
        OffsetForLeaderTopicResult {
            partitions: partitions.collect(),
            topic: topic.topic.clone(),
            ..Default::default()
        }
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn end_of_epoch(broker: &Broker, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let found = broker.partition(topic, PartitionIndex(asked.partition)).and_then(|partition| {
        partition
            .end_offset_for_epoch(LeaderEpoch(asked.current_leader_epoch), LeaderEpoch(asked.leader_epoch))
    });
    let mut answer = EpochEndOffset { partition: asked.partition, ..Default::default() };
    match found {
        Ok(Some((epoch, end))) => {
            answer.leader_epoch = epoch.0;
            answer.end_offset = end.0;
        }
        Ok(None) => {}
        Err(error) => answer.error_code = error.to_error_code(),
    }
    debug_assert!(answer.error_code == ErrorCode::NONE || answer.end_offset == -1);
    answer
}
