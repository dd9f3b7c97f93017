//! DescribeQuorum (KIP-595): who votes, who leads, and how far everybody is. Offsets are those of the quorum's log.
//!
//! Observers are the controllers without a vote, and the brokers that live and are no controllers. Brokers count metadata records, of which an entry of that log has one or
//! more: who is so many records behind is shown as so far from the end.
//!
//! Voters that the configuration names are known by their ids alone: only `kraft.version` 1 tells of their directories.
//!
//! Versions: 2 tells directory ids and endpoints (KIP-853). Errors: UNKNOWN_TOPIC_OR_PARTITION for anything but partition 0 of
//! `__cluster_metadata`, NOT_CONTROLLER on a node that does not lead.

use std::sync::Arc;

use ottla_consensus::{MemberState, QuorumState};
use ottla_metadata::image::BrokerImage;
use ottla_protocol::messages::describe_quorum::{
    DescribeQuorumResponsePartitionData, DescribeQuorumResponseTopicData, Listener, Node, ReplicaState,
};
use ottla_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use ottla_protocol::{ErrorCode, Request, Version};
use ottla_server::RequestContext;
use ottla_types::{DirectoryId, Offset};

use crate::Controller;
use crate::error_codes::Coded;

/// The version that tells directory ids, and where the voters are.
const WITH_DIRECTORIES: Version = 2;
const METADATA_TOPIC: &str = "__cluster_metadata";

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: DescribeQuorumRequest,
) -> DescribeQuorumResponse {
    if let Err(error) = controller.check_active() {
        return request.error_response(cx.version, error.code());
    }
    let state = controller.quorum_state();
    let now_ms = controller.wall_ms();
    let tells_directories = cx.version >= WITH_DIRECTORIES;
    let in_version = |tells: bool, mut replicas: Vec<ReplicaState>| {
        if !tells {
            replicas.iter_mut().for_each(|replica| replica.replica_directory_id = DirectoryId::default());
        }
        replicas
    };
    let members = |members: &[MemberState]| -> Vec<_> {
        members.iter().map(|member| replica(&state, member, now_ms)).collect()
    };
    let has_directories = tells_directories && controller.image().features.dynamic_voters();
    let voters = in_version(has_directories, members(&state.voters));
    let mut observers = members(&state.observers);
    observers.extend(brokers(controller, &state, now_ms));
    let observers = in_version(tells_directories, observers);
    let topics = request.topics.iter().map(|topic| DescribeQuorumResponseTopicData {
        topic_name: topic.topic_name.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| {
                describe(&state, &topic.topic_name, partition.partition_index, (&voters, &observers))
            })
            .collect(),
        ..Default::default()
    });
    // One node, one place: who observes on a new directory may still be a voter on the one that it lost.
    let is_voter = |member: &&MemberState| state.voters.iter().any(|voter| voter.id == member.id);
    let members = state.voters.iter().chain(state.observers.iter().filter(|member| !is_voter(member)));
    let members = members.filter(|_| tells_directories);
    let nodes = members.map(|member| node(controller, member));
    DescribeQuorumResponse { topics: topics.collect(), nodes: nodes.collect(), ..Default::default() }
}

fn describe(
    state: &QuorumState,
    topic: &str,
    index: i32,
    (voters, observers): (&[ReplicaState], &[ReplicaState]),
) -> DescribeQuorumResponsePartitionData {
    if topic != METADATA_TOPIC || index != 0 {
        return DescribeQuorumResponsePartitionData {
            partition_index: index,
            error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ..Default::default()
        };
    }
    DescribeQuorumResponsePartitionData {
        partition_index: index,
        leader_id: state.leader.map_or(-1, |id| id.0),
        leader_epoch: state.epoch.0,
        high_watermark: high_watermark(state),
        current_voters: voters.to_vec(),
        observers: observers.to_vec(),
        ..Default::default()
    }
}

/// Kafka's is the offset after the last that is committed.
fn high_watermark(state: &QuorumState) -> i64 {
    state.committed_offset.map_or(0, |offset| offset.next().0)
}

fn replica(state: &QuorumState, voter: &MemberState, now_ms: i64) -> ReplicaState {
    let end = match voter.match_offset {
        Some(offset) => offset.next(),
        None if state.leader == Some(voter.id) => state.log_end_offset(),
        None => Offset::NONE,
    };
    // The leader has what it writes, and so have those that have all of it; when the others were heard of last is not known.
    let has_all = state.leader == Some(voter.id) || end >= state.log_end_offset();
    let seen_ms = if has_all { now_ms } else { -1 };
    ReplicaState {
        last_fetch_timestamp: seen_ms,
        last_caught_up_timestamp: seen_ms,
        replica_id: voter.id.0,
        replica_directory_id: voter.directory_id,
        log_end_offset: end.0,
        ..Default::default()
    }
}

/// Those that live and are no controllers.
fn brokers(controller: &Controller, state: &QuorumState, now_ms: i64) -> Vec<ReplicaState> {
    let (image, now) = (controller.image(), controller.now());
    let sessions = controller.sessions.lock();
    let is_member = |id| state.voters.iter().chain(&state.observers).any(|member| member.id == id);
    let brokers = image.brokers.iter().filter(|broker| !is_member(broker.id));
    let observer = |broker: &Arc<BrokerImage>| {
        let behind = (image.offset - sessions.applied_by(broker.id, now)?).max(0);
        let seen_ms = if behind == 0 { now_ms } else { -1 };
        Some(ReplicaState {
            replica_id: broker.id.0,
            replica_directory_id: broker.directories.first().copied().unwrap_or_default(),
            log_end_offset: (high_watermark(state) - behind).max(0),
            last_fetch_timestamp: seen_ms,
            last_caught_up_timestamp: seen_ms,
            ..Default::default()
        })
    };
    brokers.filter_map(observer).collect()
}

fn node(controller: &Controller, voter: &MemberState) -> Node {
    let listener = controller.endpoint_of(voter).map(|at| Listener {
        name: at.listener,
        host: at.host,
        port: at.port,
        ..Default::default()
    });
    Node { node_id: voter.id.0, listeners: listener.into_iter().collect(), ..Default::default() }
}
