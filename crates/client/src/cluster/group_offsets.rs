//! Fetching and committing a group's offsets, for members and for outsiders.

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use ottla_types::{ByteString, GroupId, LeaderEpoch, Offset, TopicId, TopicName, TopicPartition};

use super::{Cluster, Metadata, Want};
use crate::admin::CommittedOffset;
use crate::error::check;
use crate::wire::Connection;
use crate::{ClientError, Result};

/// Who commits.
#[derive(Clone, Debug)]
pub(crate) struct Membership {
    pub(crate) group: GroupId,
    pub(crate) member_id: ByteString,
    pub(crate) instance_id: Option<ByteString>,
    pub(crate) generation: i32,
}

impl Membership {
    /// Someone who is no member; accepted only while the group has none.
    pub(crate) const fn outsider(group: GroupId) -> Self {
        Self { group, member_id: ByteString::from_static(""), instance_id: None, generation: -1 }
    }
}

/// The committed offsets of `partitions`, or all of them. Partitions without one are left out.
pub(crate) async fn fetch_committed(
    cluster: &Cluster,
    connection: &Connection,
    group: &GroupId,
    partitions: Option<&[TopicPartition]>,
) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
    let what = || format!("fetching the offsets of group {group}");
    let version = connection.version_of::<OffsetFetchRequest>()?;
    if version >= 10 && partitions.is_none() {
        // Answers name topics by id only.
        cluster.refresh(Want::All, false).await?;
    }
    let metadata = cluster.metadata();
    let request = fetch_request(&metadata, version, group, partitions);
    let response = connection.call(&request).await?;
    check(response.error_code, None, what)?;
    let mut found = BTreeMap::new();
    let mut take = |topic: TopicName, p: Fetched| -> Result<()> {
        let partition = TopicPartition::new(topic, p.partition_index);
        check(p.error_code, None, || format!("fetching the offset of {partition} of group {group}"))?;
        if p.offset >= 0 {
            let offset = CommittedOffset {
                offset: Offset(p.offset),
                leader_epoch: LeaderEpoch(p.leader_epoch),
                metadata: p.metadata.map(|m| m.to_string()).unwrap_or_default(),
            };
            found.insert(partition, offset);
        }
        Ok(())
    };
    for topic in response.topics {
        for p in topic.partitions {
            let p = Fetched {
                partition_index: p.partition_index,
                offset: p.committed_offset,
                leader_epoch: p.committed_leader_epoch,
                metadata: p.metadata,
                error_code: p.error_code,
            };
            take(topic.name.clone().into(), p)?;
        }
    }
    for group in response.groups {
        check(group.error_code, None, what)?;
        for topic in group.topics {
            let Some(name) = named(&metadata, topic.name, topic.topic_id) else { continue };
            for p in topic.partitions {
                let p = Fetched {
                    partition_index: p.partition_index,
                    offset: p.committed_offset,
                    leader_epoch: p.committed_leader_epoch,
                    metadata: p.metadata,
                    error_code: p.error_code,
                };
                take(name.clone(), p)?;
            }
        }
    }
    Ok(found)
}

/// Commits offsets. The topics' ids must be known, because newer brokers take nothing else.
pub(crate) async fn commit(
    cluster: &Cluster,
    connection: &Connection,
    membership: &Membership,
    offsets: &BTreeMap<TopicPartition, CommittedOffset>,
) -> Result<()> {
    let metadata = cluster.metadata();
    let mut topics: BTreeMap<&TopicName, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
    for (partition, committed) in offsets {
        topics.entry(&partition.topic).or_default().push(OffsetCommitRequestPartition {
            partition_index: partition.partition.0,
            committed_offset: committed.offset.0,
            committed_leader_epoch: committed.leader_epoch.0,
            committed_metadata: Some(committed.metadata.as_str().into()),
            ..OffsetCommitRequestPartition::default()
        });
    }
    let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
        name: ByteString::from(name.clone()),
        topic_id: metadata.topic(name).map_or(TopicId::ZERO, |t| t.id),
        partitions,
        ..OffsetCommitRequestTopic::default()
    });
    let request = OffsetCommitRequest {
        group_id: membership.group.clone(),
        generation_id_or_member_epoch: membership.generation,
        member_id: membership.member_id.clone(),
        group_instance_id: membership.instance_id.clone(),
        topics: topics.collect(),
        ..OffsetCommitRequest::default()
    };
    let response = connection.call(&request).await?;
    let group = &membership.group;
    for topic in response.topics {
        let name = named(&metadata, topic.name, topic.topic_id);
        for p in topic.partitions {
            check(p.error_code, None, || {
                let name = name.as_ref().map_or("?", TopicName::as_str);
                format!("committing the offset of {name}-{} of group {group}", p.partition_index)
            })?;
        }
    }
    Ok(())
}

struct Fetched {
    partition_index: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<ByteString>,
    error_code: ErrorCode,
}

/// Until version 7 one group in the request itself, then an array of groups.
fn fetch_request(
    metadata: &Metadata,
    version: i16,
    group: &GroupId,
    partitions: Option<&[TopicPartition]>,
) -> OffsetFetchRequest {
    let by_topic = partitions.map(|partitions| {
        let mut topics: BTreeMap<&TopicName, Vec<i32>> = BTreeMap::new();
        for partition in partitions {
            topics.entry(&partition.topic).or_default().push(partition.partition.0);
        }
        topics
    });
    if version < 8 {
        let topics = by_topic.map(|topics| {
            let topic = |(name, partition_indexes): (&TopicName, Vec<i32>)| OffsetFetchRequestTopic {
                name: ByteString::from(name.clone()),
                partition_indexes,
                ..OffsetFetchRequestTopic::default()
            };
            topics.into_iter().map(topic).collect()
        });
        return OffsetFetchRequest { group_id: group.clone(), topics, ..OffsetFetchRequest::default() };
    }
    let topics = by_topic.map(|topics| {
        let topic = |(name, partition_indexes): (&TopicName, Vec<i32>)| OffsetFetchRequestTopics {
            name: ByteString::from(name.clone()),
            topic_id: metadata.topic(name).map_or(TopicId::ZERO, |t| t.id),
            partition_indexes,
            ..OffsetFetchRequestTopics::default()
        };
        topics.into_iter().map(topic).collect()
    });
    let group =
        OffsetFetchRequestGroup { group_id: group.clone(), topics, ..OffsetFetchRequestGroup::default() };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

fn named(metadata: &Metadata, name: ByteString, id: TopicId) -> Option<TopicName> {
    if name.is_empty() { metadata.topic_by_id(id).map(|t| t.name.clone()) } else { Some(name.into()) }
}

/// Whether a commit failed because the member has to join again.
pub(crate) const fn must_rejoin(error: &ClientError) -> bool {
    matches!(
        error.code(),
        Some(ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::ILLEGAL_GENERATION | ErrorCode::UNKNOWN_MEMBER_ID)
    )
}
