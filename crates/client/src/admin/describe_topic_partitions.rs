//! Asking who may become leader of partitions (KIP-966).

use std::collections::BTreeSet;

use ottla_protocol::NodeIds;
use ottla_protocol::messages::DescribeTopicPartitionsRequest;
use ottla_protocol::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, TopicRequest,
};
use ottla_types::{NodeId, TopicName, TopicPartition};

use super::Admin;
use crate::Result;
use crate::cluster::Retry;

/// Most partitions to describe at a time; brokers have a limit of their own.
const PAGE: i32 = 2000;

/// Who else may become leader of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EligibleLeaders {
    /// The partition.
    pub partition: TopicPartition,
    /// Replicas outside of the in-sync ones that have every committed record.
    pub eligible: Vec<NodeId>,
    /// The last that had them.
    pub last_known: Vec<NodeId>,
}

impl Admin {
    /// Who may become leader of the partitions of `topics`, besides replicas that are in sync. Topics that are not there are
    /// left out.
    pub async fn eligible_leaders(
        &self,
        topics: impl IntoIterator<Item = TopicName>,
    ) -> Result<Vec<EligibleLeaders>> {
        let mut names: BTreeSet<TopicName> = topics.into_iter().collect();
        let mut cursor: Option<Cursor> = None;
        let mut found = Vec::new();
        // No names would mean all topics.
        while !names.is_empty() {
            let mut response = self.ask_page(&names, cursor.take()).await?;
            let next = response.next_cursor.take();
            found.extend(response.topics.into_iter().flat_map(leaders));
            let Some(next) = next else { break };
            names = names.split_off(&TopicName::from(next.topic_name.clone()));
            cursor = Some(Cursor {
                topic_name: next.topic_name,
                partition_index: next.partition_index,
                ..Cursor::default()
            });
        }
        Ok(found)
    }

    async fn ask_page(
        &self,
        names: &BTreeSet<TopicName>,
        cursor: Option<Cursor>,
    ) -> Result<ottla_protocol::messages::DescribeTopicPartitionsResponse> {
        let topics =
            names.iter().map(|name| TopicRequest { name: name.clone().into(), ..TopicRequest::default() });
        let request = DescribeTopicPartitionsRequest {
            topics: topics.collect(),
            response_partition_limit: PAGE,
            cursor,
            ..DescribeTopicPartitionsRequest::default()
        };
        let mut retry = Retry::new(&self.cluster, "asking who may become leader");
        loop {
            let answer = match self.cluster.any().await {
                Ok(connection) => connection.call(&request).await,
                Err(e) => Err(e),
            };
            match answer {
                Ok(response) => return Ok(response),
                Err(e) => retry.after(e).await?,
            }
        }
    }
}

fn leaders(topic: DescribeTopicPartitionsResponseTopic) -> impl Iterator<Item = EligibleLeaders> {
    let name = topic.name.unwrap_or_default();
    let nodes = |ids: Option<NodeIds>| ids.into_iter().flatten().map(NodeId).collect();
    topic.partitions.into_iter().map(move |partition: DescribeTopicPartitionsResponsePartition| {
        EligibleLeaders {
            partition: TopicPartition::new(name.clone(), partition.partition_index),
            eligible: nodes(partition.eligible_leader_replicas),
            last_known: nodes(partition.last_known_elr),
        }
    })
}
