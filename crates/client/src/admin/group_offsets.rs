//! The committed offsets of a group.

use std::collections::BTreeMap;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use ottla_types::{ByteString, LeaderEpoch, Offset, TopicPartition};

use super::Admin;
use crate::cluster::{Membership, commit, fetch_committed};
use crate::error::check;
use crate::{ClientError, Result};

/// A committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next record to read.
    pub offset: Offset,
    /// The epoch of the leader that wrote the last one read, if known.
    pub leader_epoch: LeaderEpoch,
    /// Whatever the committer wrote beside it.
    pub metadata: String,
}

impl From<Offset> for CommittedOffset {
    fn from(offset: Offset) -> Self {
        Self { offset, leader_epoch: LeaderEpoch::NONE, metadata: String::new() }
    }
}

impl Admin {
    /// All offsets that a group has committed; none if it does not exist.
    pub async fn group_offsets(&self, group: &str) -> Result<BTreeMap<TopicPartition, CommittedOffset>> {
        let what = format!("fetching the offsets of group {group}");
        self.at_coordinator(group, what, move |connection| async move {
            fetch_committed(&self.cluster, &connection, &group.into(), None).await
        })
        .await
    }

    /// Commits offsets for a group without members.
    pub async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Result<()> {
        for partition in offsets.keys() {
            self.cluster.topic(&partition.topic).await?;
        }
        let what = &format!("committing offsets of group {group}");
        self.at_coordinator(group, what.clone(), move |connection| async move {
            let membership = Membership::outsider(group.into());
            // A group with members refuses the outsider as an unknown member.
            match commit(&self.cluster, &connection, &membership, offsets).await {
                Err(e) if e.code() == Some(ErrorCode::UNKNOWN_MEMBER_ID) => {
                    Err(ClientError::broker(what, ErrorCode::NON_EMPTY_GROUP, None))
                }
                other => other,
            }
        })
        .await
    }

    /// Deletes the committed offset of a partition.
    pub async fn delete_group_offset(&self, group: &str, partition: &TopicPartition) -> Result<()> {
        let what = format!("deleting the offset of {partition} of group {group}");
        let wire = OffsetDeleteRequestPartition { partition_index: partition.partition.0 };
        let topic = OffsetDeleteRequestTopic {
            name: ByteString::from(partition.topic.clone()),
            partitions: vec![wire],
        };
        let request = OffsetDeleteRequest { group_id: group.into(), topics: vec![topic] };
        let (request, what) = (&request, &what);
        self.at_coordinator(group, what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            if response.error_code == ErrorCode::GROUP_ID_NOT_FOUND {
                return Err(ClientError::UnknownGroup { group: group.to_owned() });
            }
            check(response.error_code, None, || what.clone())?;
            for result in response.topics.iter().flat_map(|t| &t.partitions) {
                check(result.error_code, None, || what.clone())?;
            }
            Ok(())
        })
        .await
    }
}
