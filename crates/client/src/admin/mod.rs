//! Looking after topics, configurations and groups. One file per operation.

mod add_voter;
mod alter_configs;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_balance;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_topics;
mod group_lag;
mod group_offsets;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod listens;
mod registered_brokers;
mod remove_voter;
mod topic_setting;

use std::sync::Arc;

pub use alter_configs::ConfigChange;
pub use create_topics::{CreatedTopic, NewTopic};
pub use describe_balance::{Balance, BalanceMove, BrokerBalance, BrokerStanding, MoveKind, MoveState};
pub use describe_cluster::ClusterInfo;
pub use describe_configs::{ConfigEntry, ConfigResource, ConfigSource, ConfigSynonym};
pub use describe_groups::{GroupInfo, GroupMember};
pub use describe_log_dirs::LogDirInfo;
pub use describe_quorum::{QuorumEndpoint, QuorumInfo, QuorumReplica};
pub use describe_topic_partitions::EligibleLeaders;
pub use group_lag::PartitionLag;
pub use group_offsets::CommittedOffset;
pub use list_groups::GroupListing;
pub use list_partition_reassignments::Reassignment;
pub use listens::Listening;
pub use registered_brokers::RegisteredBroker;

use crate::cluster::{Cluster, Lane, Retry, Want};
use crate::wire::Connection;
use crate::{Client, ClientError, Result};

/// Looks after a cluster. Calls try again until `api_timeout`, as long as that can help.
///
/// ```no_run
/// # async fn example() -> ottla_client::Result<()> {
/// use ottla_client::{Client, NewTopic};
///
/// let admin = Client::connect("127.0.0.1:9092").await?.admin();
/// admin.create_topic(NewTopic::new("orders").partitions(6).config("retention.ms", "86400000")).await?;
/// for topic in admin.list_topics().await? {
///     println!("{}: {} partitions", topic.name, topic.partitions.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Admin {
    cluster: Arc<Cluster>,
}

impl Client {
    /// The cluster's administration.
    pub fn admin(&self) -> Admin {
        Admin { cluster: Arc::clone(self.cluster()) }
    }
}

impl Admin {
    /// Calls `attempt` with a connection to the controller until it succeeds or fails for good.
    async fn at_controller<T, F: Future<Output = Result<T>>>(
        &self,
        what: String,
        attempt: impl Fn(Arc<Connection>) -> F,
    ) -> Result<T> {
        let mut retry = Retry::new(&self.cluster, what);
        loop {
            let result = match self.cluster.controller().await {
                Ok(connection) => attempt(connection).await,
                Err(e) => Err(e),
            };
            match result {
                Ok(value) => return Ok(value),
                Err(e) => retry.after(e).await?,
            }
            // Another broker may be the controller now.
            if let Err(e) = self.cluster.refresh(Want::Brokers, false).await {
                tracing::debug!(error = %e, "metadata could not be refreshed");
            }
        }
    }

    /// Calls `attempt` with a connection to the group's coordinator until it succeeds or fails for good.
    async fn at_coordinator<T, F: Future<Output = Result<T>>>(
        &self,
        group: &str,
        what: String,
        attempt: impl Fn(Arc<Connection>) -> F,
    ) -> Result<T> {
        let group = group.into();
        let mut retry = Retry::new(&self.cluster, what);
        loop {
            let result = match self.cluster.coordinator(&group, Lane::SHARED).await {
                Ok(connection) => attempt(connection).await,
                Err(e) => Err(e),
            };
            match result {
                Ok(value) => return Ok(value),
                Err(e) => {
                    if Cluster::lost_coordinator(&e) {
                        self.cluster.forget_coordinator(&group);
                    }
                    retry.after(e).await?;
                }
            }
        }
    }

    fn timeout_ms(&self) -> i32 {
        i32::try_from(self.cluster.config.request_timeout.as_millis()).unwrap_or(i32::MAX)
    }
}

/// An answer that does not say anything about what was asked.
fn silent(connection: &Connection, what: &str) -> ClientError {
    ClientError::Malformed {
        broker: connection.broker().to_owned(),
        reason: format!("no answer about {what}"),
    }
}
