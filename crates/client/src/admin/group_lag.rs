//! How far a group is behind.

use std::collections::{BTreeMap, BTreeSet};

use ottla_types::{Offset, TopicPartition};

use super::{Admin, CommittedOffset, GroupInfo};
use crate::cluster::OffsetSpec;
use crate::{ClientError, Result};

/// A partition that a group reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionLag {
    /// The partition.
    pub partition: TopicPartition,
    /// What the group committed, if anything.
    pub committed: Option<CommittedOffset>,
    /// Where the log starts.
    pub log_start: Option<Offset>,
    /// Where the log ends; `None` if the partition is gone or has no leader.
    pub log_end: Option<Offset>,
    /// The id of the member that reads it, if one does.
    pub member: Option<String>,
}

impl PartitionLag {
    /// How many records there are that the group has not committed.
    pub fn lag(&self) -> Option<i64> {
        let committed = self.committed.as_ref()?.offset;
        Some((self.log_end? - committed).max(0))
    }
}

impl Admin {
    /// The lag of a group in each partition that it has committed or reads, by partition.
    pub async fn group_lag(&self, group: &str) -> Result<Vec<PartitionLag>> {
        // A group that only holds offsets may be unknown to DescribeGroups.
        let info = match self.describe_group(group).await {
            Ok(info) => Some(info),
            Err(ClientError::UnknownGroup { .. }) => None,
            Err(e) => return Err(e),
        };
        let committed = self.group_offsets(group).await?;
        if info.is_none() && committed.is_empty() {
            return Err(ClientError::UnknownGroup { group: group.to_owned() });
        }
        let mut lags = partitions(info.as_ref(), committed);
        let wanted = self.existing(&lags).await?;
        let starts = self.list_offsets(wanted.iter().cloned().map(|p| (p, OffsetSpec::Earliest))).await?;
        let ends = self.list_offsets(wanted.into_iter().map(|p| (p, OffsetSpec::Latest))).await?;
        for lag in &mut lags {
            lag.log_start = starts.get(&lag.partition).and_then(|o| o.offset);
            lag.log_end = ends.get(&lag.partition).and_then(|o| o.offset);
        }
        Ok(lags)
    }

    /// Leaves out partitions that are gone or cannot be asked now.
    async fn existing(&self, lags: &[PartitionLag]) -> Result<Vec<TopicPartition>> {
        let topics: BTreeSet<_> = lags.iter().map(|l| l.partition.topic.clone()).collect();
        let mut existing = Vec::new();
        for name in topics {
            match self.describe_topic(name.clone()).await {
                Ok(topic) => {
                    let led =
                        |p: &TopicPartition| topic.partition(p.partition).is_some_and(|p| p.leader.is_some());
                    let of_topic = lags.iter().map(|l| &l.partition).filter(|p| p.topic == name);
                    existing.extend(of_topic.filter(|p| led(p)).cloned());
                }
                Err(ClientError::UnknownTopic { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(existing)
    }
}

fn partitions(
    info: Option<&GroupInfo>,
    committed: BTreeMap<TopicPartition, CommittedOffset>,
) -> Vec<PartitionLag> {
    let lag = |partition: TopicPartition| PartitionLag {
        partition,
        committed: None,
        log_start: None,
        log_end: None,
        member: None,
    };
    let mut lags: BTreeMap<TopicPartition, PartitionLag> = BTreeMap::new();
    for (partition, offset) in committed {
        lags.insert(partition.clone(), PartitionLag { committed: Some(offset), ..lag(partition) });
    }
    for member in info.into_iter().flat_map(|i| &i.members) {
        for partition in &member.partitions {
            let entry = lags.entry(partition.clone()).or_insert_with(|| lag(partition.clone()));
            entry.member = Some(member.id.clone());
        }
    }
    lags.into_values().collect()
}
