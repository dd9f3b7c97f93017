//! Listing groups.

use std::sync::Arc;

use ottla_protocol::messages::list_groups::ListGroupsRequest;

use super::Admin;
use crate::Result;
use crate::cluster::{Retry, Want};
use crate::error::check;

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupListing {
    /// Its id.
    pub id: String,
    /// What its members speak among themselves: `consumer`, `connect`, …; empty if it only holds offsets.
    pub protocol_type: String,
    /// Such as `Stable` or `Empty`; empty from old brokers.
    pub state: String,
    /// `Classic`, `Consumer`, `Share`, …; empty from old brokers.
    pub kind: String,
}

impl Admin {
    /// All groups, by id. Each broker lists those that it coordinates.
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>> {
        let mut retry = Retry::new(&self.cluster, "listing groups");
        loop {
            match self.ask_groups().await {
                Ok(groups) => return Ok(groups),
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_groups(&self) -> Result<Vec<GroupListing>> {
        self.cluster.refresh(Want::Brokers, false).await?;
        let request = ListGroupsRequest::default();
        let mut replies = Vec::new();
        for id in self.cluster.metadata().brokers.keys() {
            let connection = self.cluster.broker(*id).await?;
            let reply = connection.send(&request, self.cluster.config.request_timeout).await?;
            replies.push((Arc::clone(&connection), reply));
        }
        let mut groups = Vec::new();
        for (connection, reply) in replies {
            let response = connection.receive::<ListGroupsRequest>(reply).await?;
            check(response.error_code, None, || "listing groups".to_owned())?;
            groups.extend(response.groups.into_iter().map(|g| GroupListing {
                id: g.group_id.to_string(),
                protocol_type: g.protocol_type.to_string(),
                state: g.group_state.to_string(),
                kind: g.group_type.to_string(),
            }));
        }
        groups.sort();
        groups.dedup();
        Ok(groups)
    }
}
