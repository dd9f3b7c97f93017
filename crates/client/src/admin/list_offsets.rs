//! Looking offsets up.

use std::collections::BTreeMap;

use ottla_types::TopicPartition;

use super::Admin;
use crate::Result;
use crate::cluster::{IsolationLevel, ListedOffset, OffsetSpec};

impl Admin {
    /// Looks offsets up at the partitions' leaders.
    pub async fn list_offsets(
        &self,
        wanted: impl IntoIterator<Item = (TopicPartition, OffsetSpec)>,
    ) -> Result<BTreeMap<TopicPartition, ListedOffset>> {
        self.cluster.list_offsets(wanted.into_iter().collect(), IsolationLevel::ReadUncommitted).await
    }
}
