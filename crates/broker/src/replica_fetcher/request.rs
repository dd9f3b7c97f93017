//! The requests of a follower.

use std::collections::BTreeMap;

use ottla_config::BrokerConfig;
use ottla_protocol::messages::fetch::{
    FetchPartition, FetchRequest, FetchTopic, PartitionData, ReplicaState,
};
use ottla_protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use ottla_protocol::{ByteString, FetchedRecords};
use ottla_types::{BrokerEpoch, Bytes, LeaderEpoch, NodeId, Offset, TopicId, TopicPartition};

use crate::replica_manager::FollowerPosition;

/// The newest that a follower speaks, for what it needs of it: topics by id (13), the follower's broker epoch (15). A leader of an
/// older build may have it speak an older one.
pub(super) const FETCH_VERSION: i16 = 17;
pub(super) const LIST_OFFSETS_VERSION: i16 = 9;
const EARLIEST: i64 = -2;
/// No fetch session: each request names everything.
const SESSIONLESS: i32 = -1;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    pub(super) id: NodeId,
    pub(super) epoch: BrokerEpoch,
}

/// A Fetch from all of `positions`, in their order, which the leader keeps as long as it has room.
pub(super) fn fetch(
    cluster_id: &ByteString,
    follower: Follower,
    config: &BrokerConfig,
    max_wait_ms: i32,
    positions: impl Iterator<Item = (TopicId, i32, FollowerPosition)>,
) -> FetchRequest {
    let mut topics: Vec<FetchTopic> = Vec::new();
    for (topic_id, partition, position) in positions {
        let wanted = FetchPartition {
            partition,
            current_leader_epoch: position.leader_epoch.0,
            fetch_offset: position.fetch_offset.0,
            last_fetched_epoch: position.last_fetched_epoch.0,
            log_start_offset: position.log_start_offset.0,
            partition_max_bytes: config.replication.fetch_max_bytes_per_partition,
            ..Default::default()
        };
        match topics.last_mut() {
            Some(topic) if topic.topic_id == topic_id => topic.partitions.push(wanted),
            _ => topics.push(FetchTopic { topic_id, partitions: vec![wanted], ..Default::default() }),
        }
    }
    FetchRequest {
        cluster_id: Some(cluster_id.clone()),
        replica_state: ReplicaState {
            replica_id: follower.id.0,
            replica_epoch: follower.epoch.0,
            ..Default::default()
        },
        max_wait_ms,
        min_bytes: config.replication.fetch_min_bytes,
        max_bytes: config.replication.fetch_response_max_bytes,
        session_epoch: SESSIONLESS,
        topics,
        ..Default::default()
    }
}

/// Where the leader's logs begin.
pub(super) fn log_starts(
    follower: Follower,
    partitions: &[(TopicPartition, LeaderEpoch)],
) -> ListOffsetsRequest {
    let mut topics: BTreeMap<ByteString, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (at, epoch) in partitions {
        let asked = ListOffsetsPartition {
            partition_index: at.partition.0,
            current_leader_epoch: epoch.0,
            timestamp: EARLIEST,
            ..Default::default()
        };
        topics.entry(at.topic.clone().into()).or_default().push(asked);
    }
    let topic = |(name, partitions)| ListOffsetsTopic { name, partitions, ..Default::default() };
    ListOffsetsRequest {
        replica_id: follower.id.0,
        topics: topics.into_iter().map(topic).collect(),
        ..Default::default()
    }
}

/// Where the leader says that this log's history ends to be its own.
pub(super) fn diverging(data: &PartitionData) -> Option<(LeaderEpoch, Offset)> {
    let told = &data.diverging_epoch;
    (told.end_offset >= 0).then_some((LeaderEpoch(told.epoch), Offset(told.end_offset)))
}

pub(super) fn records(data: &PartitionData) -> Bytes {
    data.records.as_ref().and_then(FetchedRecords::bytes).cloned().unwrap_or_default()
}
