//! Committed offsets, and positions that have to be looked up.

use std::collections::BTreeMap;

use ottla_types::{ByteString, LeaderEpoch, Offset, TopicPartition};
use tokio::time::Instant;

use super::Consumer;
use super::positions::Position;
use crate::admin::CommittedOffset;
use crate::cluster::{Cluster, Membership, OffsetSpec, Retry, commit, fetch_committed, must_rejoin};
use crate::{ClientError, Result};

impl Consumer {
    /// Commits the positions: all that was given by polls counts as done.
    pub async fn commit(&mut self) -> Result<()> {
        let metadata = self.cluster.metadata();
        let offsets = self.positions.iter().filter_map(|(partition, state)| match state.position {
            Position::At(offset) => {
                let info = metadata.partition(&partition.topic, partition.partition);
                let leader_epoch = info.map_or(LeaderEpoch::NONE, |i| i.leader_epoch);
                Some((partition.clone(), CommittedOffset { leader_epoch, ..offset.into() }))
            }
            _ => None,
        });
        let offsets = offsets.collect();
        self.commit_offsets(&offsets).await
    }

    /// Commits these offsets: of each partition, the next record to read.
    pub async fn commit_offsets(
        &mut self,
        offsets: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Result<()> {
        let membership = match &self.group {
            Some(group) => group.membership().clone(),
            None => Membership::outsider(self.group_id()?),
        };
        if offsets.is_empty() {
            return Ok(());
        }
        for partition in offsets.keys() {
            self.cluster.topic(&partition.topic).await?;
        }
        let mut retry =
            Retry::new(&self.cluster, format!("committing offsets of group {}", membership.group));
        loop {
            let result = match self.cluster.coordinator(&membership.group, self.group_lane).await {
                Ok(connection) => commit(&self.cluster, &connection, &membership, offsets).await,
                Err(e) => Err(e),
            };
            match result {
                Ok(()) => return Ok(()),
                Err(e) => {
                    if must_rejoin(&e)
                        && let Some(group) = &mut self.group
                    {
                        group.rejoin(&e);
                    }
                    if Cluster::lost_coordinator(&e) {
                        self.cluster.forget_coordinator(&membership.group);
                    }
                    retry.after(e).await?;
                }
            }
        }
    }

    /// The group's committed offsets of these partitions; those without one are left out.
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
        let group = self.group_id()?;
        for partition in partitions {
            self.cluster.topic(&partition.topic).await?;
        }
        let mut retry = Retry::new(&self.cluster, format!("fetching the offsets of group {group}"));
        loop {
            let result = match self.cluster.coordinator(&group, self.group_lane).await {
                Ok(connection) => fetch_committed(&self.cluster, &connection, &group, Some(partitions)).await,
                Err(e) => Err(e),
            };
            match result {
                Ok(committed) => return Ok(committed),
                Err(e) => {
                    if Cluster::lost_coordinator(&e) {
                        self.cluster.forget_coordinator(&group);
                    }
                    retry.after(e).await?;
                }
            }
        }
    }

    /// Commits if it is time; a failure is only logged, because the next commit covers it.
    pub(super) async fn auto_commit(&mut self) {
        let due = self.config.enable_auto_commit
            && self.config.group_id.is_some()
            && self.last_commit.elapsed() >= self.config.auto_commit_interval;
        if !due {
            return;
        }
        self.last_commit = Instant::now();
        if let Err(error) = self.commit().await {
            tracing::warn!(%error, "offsets could not be committed");
        }
    }

    /// Turns every position into an offset.
    pub(super) async fn find_positions(&mut self) -> Result<()> {
        let of = |wanted: fn(&Position) -> bool, positions: &super::Positions| -> Vec<_> {
            positions.iter().filter(|(_, s)| wanted(&s.position)).map(|(p, _)| p.clone()).collect()
        };
        let uncommitted = of(|p| *p == Position::Committed, &self.positions);
        if !uncommitted.is_empty() {
            let committed = match self.config.group_id {
                Some(_) => self.committed(&uncommitted).await?,
                None => BTreeMap::new(),
            };
            for partition in uncommitted {
                let position = match (committed.get(&partition), self.config.auto_offset_reset.spec()) {
                    (Some(committed), _) => Position::At(committed.offset),
                    (None, Some(spec)) => Position::LookUp(spec),
                    (None, None) => return Err(ClientError::NoOffset { partition }),
                };
                self.positions.seek(&partition, position);
            }
        }
        self.look_up().await
    }

    async fn look_up(&mut self) -> Result<()> {
        let wanted: BTreeMap<_, _> = self
            .positions
            .iter()
            .filter_map(|(p, s)| match s.position {
                Position::LookUp(spec) => Some((p.clone(), spec)),
                _ => None,
            })
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let isolation = self.config.isolation_level;
        let found = self.cluster.list_offsets(wanted.clone(), isolation).await?;
        let mut later = BTreeMap::new();
        for partition in wanted.into_keys() {
            match found.get(&partition).and_then(|o| o.offset) {
                Some(offset) => drop(self.positions.seek(&partition, Position::At(offset))),
                // No record is that late: go on behind the last one.
                None => drop(later.insert(partition, OffsetSpec::Latest)),
            }
        }
        if !later.is_empty() {
            for (partition, end) in self.cluster.list_offsets(later, isolation).await? {
                self.positions.seek(&partition, Position::At(end.offset.unwrap_or(Offset::ZERO)));
            }
        }
        Ok(())
    }

    fn group_id(&self) -> Result<ByteString> {
        self.config.group_id.as_deref().map(ByteString::from).ok_or_else(|| {
            let expected = "a group id, because offsets are committed for a group";
            ClientError::Invalid { what: "group.id", value: "none".to_owned(), expected }
        })
    }
}
