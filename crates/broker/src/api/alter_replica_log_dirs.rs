//! AlterReplicaLogDirs: this broker's replicas shall be in these log directories (KIP-113). It answers when the moves have
//! begun; DescribeLogDirs shows how far they are.
//!
//! Errors, per partition: LOG_DIR_NOT_FOUND, KAFKA_STORAGE_ERROR while any directory is offline, UNKNOWN_TOPIC_OR_PARTITION, and
//! REPLICA_NOT_AVAILABLE where the broker has no replica (one that comes is placed there), INVALID_TOPIC_EXCEPTION for names too long to be moved.

use std::sync::Arc;

use ottla_protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::TopicPartition;

use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::replica_manager::ReplicaManager;

pub(crate) async fn handle(
    broker: &Broker,
    cx: &RequestContext,
    request: AlterReplicaLogDirsRequest,
) -> AlterReplicaLogDirsResponse {
    let replicas = Arc::clone(&broker.replicas);
    let failed = request.error_response(cx.version, ErrorCode::UNKNOWN_SERVER_ERROR);
    tokio::task::spawn_blocking(move || alter(&replicas, request)).await.unwrap_or(failed)
}

fn alter(replicas: &Arc<ReplicaManager>, request: AlterReplicaLogDirsRequest) -> AlterReplicaLogDirsResponse {
    let mut results: Vec<AlterReplicaLogDirTopicResult> = Vec::new();
    for dir in &request.dirs {
        for topic in &dir.topics {
            let alter = |&index: &i32| {
                let at = TopicPartition::new(&*topic.name, index);
                let altered = replicas.alter_replica_log_dir(&at, &dir.path);
                let error_code = altered.map_or_else(
                    |error| {
                        tracing::warn!("{at} is not moved to {}: {error}", dir.path);
                        error.to_error_code()
                    },
                    |()| ErrorCode::NONE,
                );
                AlterReplicaLogDirPartitionResult { partition_index: index, error_code, ..Default::default() }
            };
            let partitions = topic.partitions.iter().map(alter);
            match results.iter_mut().find(|known| known.topic_name == topic.name) {
                Some(known) => known.partitions.extend(partitions),
                None => results.push(AlterReplicaLogDirTopicResult {
                    partitions: partitions.collect(),
                    topic_name: topic.name.clone(),
                    ..Default::default()
                }),
            }
        }
    }
    AlterReplicaLogDirsResponse { results, ..Default::default() }
}
