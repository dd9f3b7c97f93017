//! The group coordinator of this broker: finds the shard of a group and asks it.

use std::sync::Arc;
use std::time::Duration;

use ottla_config::BrokerConfig;
use ottla_coordinator::partition_for;
use ottla_env::Clock;
use ottla_group_coordinator::{
    DeletedTopic, GROUP_METADATA_TOPIC, GroupConfig, GroupError, GroupRequest, GroupResponse, GroupShard,
};
use ottla_metadata::MetadataImage;
use ottla_types::{PartitionIndex, TopicPartition};

use super::host::{CoordinatorHost, HostError};
use crate::replica_manager::RoleChanged;

/// Why a group request is not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AskError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error(transparent)]
    Group(#[from] GroupError),
}

/// The groups that this broker coordinates.
#[derive(Debug)]
pub(crate) struct GroupCoordinator {
    host: Arc<CoordinatorHost<GroupShard>>,
}

impl GroupCoordinator {
    pub(crate) fn new(clock: Arc<dyn Clock>, config: &BrokerConfig) -> Self {
        let commit_timeout =
            Duration::from_millis(u64::try_from(config.offsets.commit_timeout_ms).unwrap_or(0));
        let group = Arc::new(group_config(config));
        Self {
            host: CoordinatorHost::new(clock, commit_timeout, move || GroupShard::new(Arc::clone(&group))),
        }
    }

    /// Asks the shard of `group`; `pick` takes the answer out of the response.
    pub(crate) async fn ask<T>(
        &self,
        image: &MetadataImage,
        group: &str,
        request: GroupRequest,
        pick: impl FnOnce(GroupResponse) -> Option<T>,
    ) -> Result<T, AskError> {
        let topic = image.topics.by_name(GROUP_METADATA_TOPIC).ok_or(HostError::NotCoordinator)?;
        let count = u32::try_from(topic.partition_count()).unwrap_or(0);
        let partition = partition_for(group, count).ok_or(HostError::NotCoordinator)?;
        let response = self.host.request(partition, request).await??;
        // Each request has one response; anything else would be a fault of the shard, and is not the group's state.
        pick(response).ok_or(AskError::Group(GroupError::CoordinatorNotAvailable))
    }

    /// Asks every shard of this broker.
    pub(crate) async fn ask_all(&self, request: &GroupRequest) -> Result<Vec<GroupResponse>, AskError> {
        let answers = self.host.request_all(|| request.clone()).await?;
        answers.into_iter().map(|answer| answer.map_err(AskError::from)).collect()
    }

    /// Reads facts off every loaded shard, for metrics.
    pub(crate) fn for_each_shard(&self, look: impl FnMut(PartitionIndex, &GroupShard)) {
        self.host.for_each(look);
    }

    /// A partition's role changed; concerns those of the offsets topic.
    pub(crate) fn role_changed(&self, change: RoleChanged) {
        let of_groups = |at: &TopicPartition| at.topic.as_str() == GROUP_METADATA_TOPIC;
        match change {
            RoleChanged::WillLead(at) if of_groups(&at) => self.host.will_lead(at.partition),
            RoleChanged::Leads(partition, epoch) if of_groups(&partition.id().topic_partition) => {
                self.host.became_leader(partition, epoch);
            }
            RoleChanged::Left(at) if of_groups(&at) => self.host.lost_leadership(at.partition),
            RoleChanged::WillLead(_)
            | RoleChanged::Leads(..)
            | RoleChanged::Left(_)
            | RoleChanged::Follows(..) => {}
        }
    }

    /// Offsets of deleted topics go, in the background.
    pub(crate) async fn topics_deleted(&self, topics: Vec<DeletedTopic>) {
        if let Err(error) = self.ask_all(&GroupRequest::TopicsDeleted(topics)).await {
            tracing::warn!("offsets of deleted topics stay until they expire: {error}");
        }
    }

    /// Fires sessions and rebalances that are due, for as long as the broker runs.
    pub(crate) async fn run_timers(&self) {
        Arc::clone(&self.host).run_timers().await;
    }
}

fn group_config(config: &BrokerConfig) -> GroupConfig {
    let int = |ms: i64| i32::try_from(ms).unwrap_or(i32::MAX);
    GroupConfig {
        min_session_timeout_ms: int(config.group.min_session_timeout_ms),
        max_session_timeout_ms: int(config.group.max_session_timeout_ms),
        initial_rebalance_delay_ms: int(config.group.initial_rebalance_delay_ms),
        max_size: usize::try_from(config.group.max_size).unwrap_or(0),
        offset_metadata_max_bytes: usize::try_from(config.offsets.metadata_max_bytes).unwrap_or(0),
        offsets_retention_ms: config.offsets.retention_ms,
        offsets_retention_check_interval_ms: config.offsets.retention_check_interval_ms,
        ..GroupConfig::default()
    }
}
