//! Offsets by time: where a log starts, where it ends, what was written when.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use ottla_types::{ByteString, LeaderEpoch, NodeId, Offset, TimestampMs, TopicName, TopicPartition};

use super::{Cluster, Retry, Want};
use crate::{ClientError, Result};

/// Which offset of a partition to look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first one that is still in the log.
    Earliest,
    /// The one that the next record gets (of those that consumers may read).
    Latest,
    /// That of the record with the largest timestamp.
    MaxTimestamp,
    /// The first one whose record is at least as late as this, milliseconds since 1970.
    At(TimestampMs),
}

impl OffsetSpec {
    const fn wire(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Earliest => -2,
            Self::MaxTimestamp => -3,
            Self::At(timestamp) => timestamp,
        }
    }
}

/// Which records a consumer sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IsolationLevel {
    /// All of them.
    #[default]
    ReadUncommitted,
    /// Not those of transactions that are open or were aborted.
    ReadCommitted,
}

impl IsolationLevel {
    pub(crate) const fn wire(self) -> i8 {
        match self {
            Self::ReadUncommitted => 0,
            Self::ReadCommitted => 1,
        }
    }
}

/// An offset that was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset; `None` if no record is that late.
    pub offset: Option<Offset>,
    /// The record's timestamp, for [`OffsetSpec::At`] and [`OffsetSpec::MaxTimestamp`].
    pub timestamp: Option<TimestampMs>,
    /// The epoch of the leader that wrote it, if known.
    pub leader_epoch: LeaderEpoch,
}

impl Cluster {
    /// Looks offsets up at the partitions' leaders, again until each is answered or fails for good.
    pub(crate) async fn list_offsets(
        &self,
        mut wanted: BTreeMap<TopicPartition, OffsetSpec>,
        isolation: IsolationLevel,
    ) -> Result<BTreeMap<TopicPartition, ListedOffset>> {
        let mut found = BTreeMap::new();
        let mut retry = Retry::new(self, "looking offsets up");
        loop {
            let mut last = None;
            for (partition, result) in self.ask_leaders(&wanted, isolation).await? {
                match result {
                    Ok(offset) => {
                        wanted.remove(&partition);
                        found.insert(partition, offset);
                    }
                    Err(e) if e.is_retriable() => last = Some(e),
                    Err(e) => return Err(e),
                }
            }
            let Some(error) = last else { return Ok(found) };
            retry.after(error).await?;
            let topics: Vec<TopicName> = wanted.keys().map(|p| p.topic.clone()).collect();
            if let Err(e) = self.refresh(Want::Topics(&topics), false).await {
                tracing::debug!(error = %e, "metadata could not be refreshed");
            }
        }
    }

    /// One round: all leaders are asked before the first answer is awaited.
    async fn ask_leaders(
        &self,
        wanted: &BTreeMap<TopicPartition, OffsetSpec>,
        isolation: IsolationLevel,
    ) -> Result<Vec<(TopicPartition, Result<ListedOffset>)>> {
        let mut results = Vec::new();
        let mut by_node: HashMap<NodeId, Vec<(&TopicPartition, OffsetSpec)>> = HashMap::new();
        for (partition, &spec) in wanted {
            match self.leader_id(partition).await {
                Ok(node) => by_node.entry(node).or_default().push((partition, spec)),
                Err(e) => results.push((partition.clone(), Err(e))),
            }
        }
        let mut replies = Vec::new();
        for (node, partitions) in by_node {
            let request = request(&partitions, isolation);
            let sent = async {
                let connection = self.broker(node).await?;
                let reply = connection.send(&request, self.config.request_timeout).await?;
                Ok::<_, ClientError>((Arc::clone(&connection), reply))
            };
            replies.push((partitions, sent.await));
        }
        for (partitions, sent) in replies {
            let answer = match sent {
                Ok((connection, reply)) => connection.receive::<ListOffsetsRequest>(reply).await,
                Err(e) => Err(e),
            };
            results.extend(pair(&partitions, answer));
        }
        Ok(results)
    }
}

fn request(partitions: &[(&TopicPartition, OffsetSpec)], isolation: IsolationLevel) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&TopicName, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (partition, spec) in partitions {
        topics.entry(&partition.topic).or_default().push(ListOffsetsPartition {
            partition_index: partition.partition.0,
            timestamp: spec.wire(),
            ..ListOffsetsPartition::default()
        });
    }
    let topics = topics.into_iter().map(|(name, partitions)| ListOffsetsTopic {
        name: ByteString::from(name.clone()),
        partitions,
        ..ListOffsetsTopic::default()
    });
    ListOffsetsRequest {
        // A consumer, not a replica.
        replica_id: -1,
        isolation_level: isolation.wire(),
        topics: topics.collect(),
        ..ListOffsetsRequest::default()
    }
}

fn pair(
    asked: &[(&TopicPartition, OffsetSpec)],
    answer: Result<ListOffsetsResponse>,
) -> Vec<(TopicPartition, Result<ListedOffset>)> {
    let response = match answer {
        Ok(response) => response,
        Err(e) => return asked.iter().map(|(p, _)| ((*p).clone(), Err(e.clone()))).collect(),
    };
    let mut results = Vec::with_capacity(asked.len());
    for topic in response.topics {
        for p in topic.partitions {
            let partition = TopicPartition::new(topic.name.clone(), p.partition_index);
            let result = if p.error_code == ErrorCode::NONE {
                Ok(ListedOffset {
                    offset: Some(Offset(p.offset)).filter(|o| o.0 >= 0),
                    timestamp: Some(p.timestamp).filter(|t| *t >= 0),
                    leader_epoch: LeaderEpoch(p.leader_epoch),
                })
            } else {
                Err(ClientError::broker(format!("offsets of {partition}"), p.error_code, None))
            };
            results.push((partition, result));
        }
    }
    results
}
