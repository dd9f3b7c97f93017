//! Sharing partitions with the other members of a classic group.

mod assignor;
mod heartbeat;
mod member;
mod protocol;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use ottla_types::{ByteString, TopicName, TopicPartition};

pub use assignor::Assignor;
pub(super) use heartbeat::Signal;

use self::heartbeat::Heartbeat;
use self::member::{GroupMember, Step};
use super::config::ConsumerConfig;
use crate::cluster::{Cluster, Lane, Membership, Retry, Want};
use crate::{ClientError, Result};

/// What a broker may take beyond the rebalance timeout to answer JoinGroup.
const JOIN_GRACE: Duration = Duration::from_secs(5);

/// This consumer's place in its group.
#[derive(Debug)]
pub(super) struct Group {
    cluster: Arc<Cluster>,
    lane: Lane,
    member: GroupMember,
    heartbeat: Option<Heartbeat>,
    heartbeat_interval: Duration,
    max_poll_interval: Duration,
    /// As leader: the partitions that the last assignment knew of.
    assigned_counts: BTreeMap<TopicName, i32>,
}

impl Group {
    pub(super) fn new(cluster: Arc<Cluster>, lane: Lane, id: &str, config: &ConsumerConfig) -> Self {
        let instance_id = config.group_instance_id.as_deref().map(ByteString::from);
        let member = GroupMember::new(
            id.into(),
            instance_id,
            config.assignors.clone(),
            config.session_timeout,
            config.max_poll_interval,
        );
        Self {
            cluster,
            lane,
            member,
            heartbeat: None,
            heartbeat_interval: config.heartbeat_interval,
            max_poll_interval: config.max_poll_interval,
            assigned_counts: BTreeMap::new(),
        }
    }

    pub(super) const fn membership(&self) -> &Membership {
        self.member.membership()
    }

    /// Whether the member has to join before it may read on.
    pub(super) fn signal(&self) -> Signal {
        self.heartbeat.as_ref().map_or(Signal::Rejoin, Heartbeat::signal)
    }

    pub(super) fn polled(&self) {
        if let Some(heartbeat) = &self.heartbeat {
            heartbeat.polled();
        }
    }

    /// Waits until the member has to join.
    pub(super) async fn changed(&mut self) {
        match &mut self.heartbeat {
            Some(heartbeat) => heartbeat.changed().await,
            None => std::future::pending().await,
        }
    }

    /// A commit was refused: the next poll joins.
    pub(super) fn rejoin(&mut self, error: &ClientError) {
        self.heartbeat = None;
        if error.code() == Some(ErrorCode::UNKNOWN_MEMBER_ID) {
            self.member.forget();
        }
    }

    /// As leader: whether topics were created, deleted or grew since the last assignment.
    pub(super) async fn is_outdated(&self) -> Result<bool> {
        if !self.member.is_leader() {
            return Ok(false);
        }
        let topics: Vec<_> = self.assigned_counts.keys().cloned().collect();
        Ok(self.counts(&topics).await? != self.assigned_counts)
    }

    /// Joins and gives the partitions to read. Waits for the other members.
    pub(super) async fn join(
        &mut self,
        topics: &[TopicName],
        owned: &[TopicPartition],
    ) -> Result<Vec<TopicPartition>> {
        match self.signal() {
            Signal::Lost => self.member.forget(),
            Signal::Fenced => {
                let what = format!("group {}", self.membership().group);
                return Err(ClientError::broker(what, ErrorCode::FENCED_INSTANCE_ID, None));
            }
            Signal::Stable | Signal::Rejoin => {}
        }
        self.heartbeat = None;
        let mut retry = Retry::new(&self.cluster, format!("joining group {}", self.membership().group));
        loop {
            match self.round(topics, owned).await {
                Ok(partitions) => {
                    self.heartbeat = Some(Heartbeat::start(
                        Arc::clone(&self.cluster),
                        self.lane,
                        self.membership().clone(),
                        self.heartbeat_interval,
                        self.max_poll_interval,
                    ));
                    return Ok(partitions);
                }
                Err(e) => {
                    if Cluster::lost_coordinator(&e) {
                        self.cluster.forget_coordinator(&self.membership().group);
                    }
                    retry.after(e).await?;
                }
            }
        }
    }

    /// Leaves at once, so that the others need not wait for the session timeout. Static members stay:
    /// they are expected back.
    pub(super) async fn close(mut self) {
        let joined = self.heartbeat.take().is_some();
        if joined && self.membership().instance_id.is_none() {
            leave(&self.cluster, self.lane, self.membership()).await;
        }
    }

    async fn round(&mut self, topics: &[TopicName], owned: &[TopicPartition]) -> Result<Vec<TopicPartition>> {
        let mut step = self.member.join(topics, owned)?;
        loop {
            let next = match step {
                Step::Join(request) => {
                    let connection = self.cluster.coordinator(&request.group_id, self.lane).await?;
                    let timeout = self.max_poll_interval + JOIN_GRACE;
                    let response = connection.call_within(&*request, timeout).await?;
                    self.member.on_join(response)?
                }
                Step::Assign(topics) => {
                    self.assigned_counts = self.counts(&topics).await?;
                    let counts = self.assigned_counts.iter().filter(|(_, n)| **n > 0);
                    let counts = counts.map(|(t, n)| (t.clone(), *n)).collect();
                    Some(self.member.assign(&counts)?)
                }
                Step::Sync(request) => {
                    let connection = self.cluster.coordinator(&request.group_id, self.lane).await?;
                    let timeout = self.max_poll_interval + JOIN_GRACE;
                    self.member.on_sync(&connection.call_within(&*request, timeout).await?)?
                }
                Step::Joined(partitions) => return Ok(partitions),
            };
            step = match next {
                Some(step) => step,
                None => self.member.join(topics, owned)?,
            };
        }
    }

    /// How many partitions each topic has; 0 for one that is not there.
    async fn counts(&self, topics: &[TopicName]) -> Result<BTreeMap<TopicName, i32>> {
        self.cluster.refresh(Want::Topics(topics), self.cluster.config.allow_auto_create_topics).await?;
        let metadata = self.cluster.metadata();
        let count = |t: &TopicName| metadata.topic(t).map_or(0, |t| t.partitions.len() as i32);
        Ok(topics.iter().map(|t| (t.clone(), count(t))).collect())
    }
}

/// Leaves the group; a failure means that the session timeout will do it.
async fn leave(cluster: &Cluster, lane: Lane, membership: &Membership) {
    let result = async {
        let connection = cluster.coordinator(&membership.group, lane).await?;
        // Until version 2 one member in the request itself, then an array.
        let mut request =
            LeaveGroupRequest { group_id: membership.group.clone(), ..LeaveGroupRequest::default() };
        if connection.version_of::<LeaveGroupRequest>()? >= 3 {
            request.members = vec![MemberIdentity {
                member_id: membership.member_id.clone(),
                group_instance_id: membership.instance_id.clone(),
                ..MemberIdentity::default()
            }];
        } else {
            request.member_id = membership.member_id.clone();
        }
        connection.call(&request).await
    };
    if let Err(e) = result.await {
        tracing::debug!(group = %membership.group, error = %e, "could not leave the group");
    }
}
