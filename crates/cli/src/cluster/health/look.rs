//! What the cluster says of itself at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_client::{
    Admin, ClientError, EligibleLeaders, ErrorKind, Listening, LogDirInfo, NodeId, PartitionInfo, QuorumInfo,
    Reassignment, RegisteredBroker, TopicInfo, TopicName, TopicPartition,
};
use tokio::task::JoinSet;

use super::partitions::is_under_replicated;
use crate::error::Result;

/// How long a voter that is behind gets to come nearer. Followers fetch at least that often.
const SECOND_LOOK: Duration = Duration::from_secs(1);
/// How long a broker may take to name its log directories; longer, and it is as if it were down.
const PATIENCE: Duration = Duration::from_secs(5);
const MIN_ISR: &str = "min.insync.replicas";

/// What was answered to one question, or why nothing was.
pub(super) type Asked<T> = Result<T, ClientError>;

/// Everything that was asked.
pub(super) struct Look {
    /// Those that are registered.
    pub(super) brokers: Vec<RegisteredBroker>,
    pub(super) topics: Vec<Arc<TopicInfo>>,
    /// Of brokers that are not fenced.
    pub(super) log_dirs: LogDirs,
    pub(super) reassignments: Asked<Vec<Reassignment>>,
    /// Of topics with under-replicated partitions.
    pub(super) min_isr: Asked<BTreeMap<TopicName, usize>>,
    /// Of topics with partitions without leader.
    pub(super) eligible: Asked<Vec<EligibleLeaders>>,
    pub(super) quorum: Asked<QuorumLook>,
}

/// The quorum, and a second time if anybody was behind.
pub(super) struct QuorumLook {
    pub(super) first: QuorumInfo,
    pub(super) later: Option<QuorumInfo>,
    /// Whether somebody listens where the voters should.
    pub(super) listening: BTreeMap<NodeId, Listening>,
}

impl Look {
    /// Every partition and its name.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &PartitionInfo)> {
        let of = |topic: &'_ TopicInfo, p: &PartitionInfo| TopicPartition::new(topic.name.clone(), p.index);
        self.topics.iter().flat_map(move |topic| topic.partitions.iter().map(move |p| (of(topic, p), p)))
    }

    /// Whether the broker is registered, not fenced, and answers.
    pub(super) fn is_up(&self, id: NodeId) -> bool {
        let is_silent = matches!(self.log_dirs.get(&id), Some(Err(error)) if is_silence(error));
        !is_silent && self.brokers.iter().any(|broker| broker.info.id == id && !broker.fenced)
    }
}

/// Whether it means that nobody was there to answer.
pub(super) fn is_silence(error: &ClientError) -> bool {
    matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::NotFound)
}

/// Asks. Fails if nobody answers at all.
pub(super) async fn look(admin: &Admin) -> Result<Look> {
    let brokers = admin.registered_brokers().await?;
    let log_dirs = all_log_dirs(admin, &brokers).await;
    let (brokers, log_dirs) = whoever_is_left(admin, brokers, log_dirs).await?;
    let (quorum, placed) = tokio::join!(look_at_quorum(admin), partitions(admin));
    let (topics, reassignments) = placed?;
    let wanting = |wants: &dyn Fn(&PartitionInfo) -> bool| -> Vec<TopicName> {
        let topics = topics.iter().filter(|topic| topic.partitions.iter().any(wants));
        topics.map(|topic| topic.name.clone()).collect()
    };
    let min_isr = admin.topic_setting(&wanting(&is_under_replicated), MIN_ISR).await.map(numbers);
    let eligible = admin.eligible_leaders(wanting(&|partition| partition.leader.is_none())).await;
    Ok(Look { brokers, topics, log_dirs, reassignments, min_isr, eligible, quorum })
}

type Placed = (Vec<Arc<TopicInfo>>, Asked<Vec<Reassignment>>);

/// Topics and what moves. Moves are asked for on both sides of topics with too few in sync: one that begins or ends meanwhile
/// looks like a replica that is lost.
async fn partitions(admin: &Admin) -> Asked<Placed> {
    let before = admin.list_partition_reassignments().await;
    let topics = admin.list_topics().await?;
    let Ok(mut moves) = before else { return Ok((topics, before)) };
    if topics.iter().flat_map(|topic| &topic.partitions).any(is_under_replicated) {
        let after = match admin.list_partition_reassignments().await {
            Ok(after) => after,
            Err(error) => return Ok((topics, Err(error))),
        };
        moves.retain(|one| after.iter().all(|other| other.partition != one.partition));
        moves.extend(after);
    }
    Ok((topics, Ok(moves)))
}

type LogDirs = BTreeMap<NodeId, Asked<Vec<LogDirInfo>>>;

async fn all_log_dirs(admin: &Admin, brokers: &[RegisteredBroker]) -> LogDirs {
    let mut asked = JoinSet::new();
    for id in brokers.iter().filter(|broker| !broker.fenced).map(|broker| broker.info.id) {
        let admin = admin.clone();
        asked.spawn(async move {
            let dirs = tokio::time::timeout(PATIENCE, admin.describe_log_dirs(id)).await;
            let late = |_| {
                let what = "naming its log directories".to_owned();
                Err(ClientError::Timeout { what, after: PATIENCE, last: String::new() })
            };
            (id, dirs.unwrap_or_else(late))
        });
    }
    asked.join_all().await.into_iter().collect()
}

/// Who did not answer may have been fenced meanwhile, which says it all.
async fn whoever_is_left(
    admin: &Admin,
    brokers: Vec<RegisteredBroker>,
    mut log_dirs: LogDirs,
) -> Asked<(Vec<RegisteredBroker>, LogDirs)> {
    if log_dirs.values().all(Result::is_ok) {
        return Ok((brokers, log_dirs));
    }
    let brokers = admin.registered_brokers().await?;
    let is_up = |id| brokers.iter().any(|broker| broker.info.id == id && !broker.fenced);
    log_dirs.retain(|id, _| is_up(*id));
    Ok((brokers, log_dirs))
}

async fn look_at_quorum(admin: &Admin) -> Asked<QuorumLook> {
    let first = admin.describe_quorum().await?;
    let is_behind = first.voters.iter().any(|voter| voter.log_end < first.high_watermark);
    let later = if is_behind {
        tokio::time::sleep(SECOND_LOOK).await;
        Some(admin.describe_quorum().await?)
    } else {
        None
    };
    let mut asked = JoinSet::new();
    for voter in &later.as_ref().unwrap_or(&first).voters {
        let (admin, id, endpoints) = (admin.clone(), voter.id, voter.endpoints.clone());
        asked.spawn(async move {
            match endpoints.first() {
                Some(at) => (id, admin.listens(&at.host, at.port).await),
                None => (id, Listening::Unknown),
            }
        });
    }
    let listening = asked.join_all().await.into_iter().collect();
    Ok(QuorumLook { first, later, listening })
}

fn numbers(values: BTreeMap<TopicName, String>) -> BTreeMap<TopicName, usize> {
    values.into_iter().filter_map(|(topic, value)| Some((topic, value.parse().ok()?))).collect()
}
