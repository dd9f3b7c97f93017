//! DescribeLogDirs: what lies in this broker's log directories (KIP-113).
//!
//! Without topics all partitions are meant; those that are not here are left out. Versions: 3 has an error for the whole
//! request, 4 tells sizes of file systems, 5 whether a directory is cordoned. Errors, per directory: KAFKA_STORAGE_ERROR.

use std::collections::BTreeSet;
use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use ottla_server::RequestContext;
use ottla_types::{ByteString, TopicPartition};

use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::replica_manager::{DirDescription, ReplicaDescription};

pub(crate) async fn handle(
    broker: &Broker,
    _cx: &RequestContext,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let wanted = request.topics.map(|topics| {
        let pairs = topics.into_iter().flat_map(|asked| {
            asked.partitions.into_iter().map(move |index| TopicPartition::new(&*asked.topic, index))
        });
        pairs.collect::<BTreeSet<_>>()
    });
    let replicas = Arc::clone(&broker.replicas);
    let described = tokio::task::spawn_blocking(move || replicas.describe_log_dirs(wanted.as_ref()));
    match described.await {
        Ok(dirs) => {
            let results = dirs.into_iter().map(result).collect();
            DescribeLogDirsResponse { results, ..Default::default() }
        }
        Err(_) => {
            DescribeLogDirsResponse { error_code: ErrorCode::UNKNOWN_SERVER_ERROR, ..Default::default() }
        }
    }
}

fn result(dir: DirDescription) -> DescribeLogDirsResult {
    let log_dir = ByteString::from(dir.path.to_string_lossy().as_ref());
    match dir.content {
        Ok(content) => DescribeLogDirsResult {
            log_dir,
            topics: topics(content.replicas),
            total_bytes: bytes(content.total_bytes),
            usable_bytes: bytes(content.usable_bytes),
            is_cordoned: content.is_cordoned,
            ..Default::default()
        },
        Err(error) => {
            tracing::warn!("cannot describe {}: {error}", dir.path.display());
            DescribeLogDirsResult { error_code: error.to_error_code(), log_dir, ..Default::default() }
        }
    }
}

/// Those of one topic follow each other.
fn topics(replicas: Vec<ReplicaDescription>) -> Vec<DescribeLogDirsTopic> {
    let mut topics: Vec<DescribeLogDirsTopic> = Vec::new();
    for replica in replicas {
        let name = replica.at.topic.as_str();
        if topics.last().is_none_or(|last| &*last.name != name) {
            topics.push(DescribeLogDirsTopic { name: name.into(), ..Default::default() });
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(DescribeLogDirsPartition {
                partition_index: replica.at.partition.0,
                partition_size: bytes(replica.size_bytes),
                offset_lag: replica.offset_lag,
                is_future_key: replica.is_future,
                ..Default::default()
            });
        }
    }
    topics
}

fn bytes(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
