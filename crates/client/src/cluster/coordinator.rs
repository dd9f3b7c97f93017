//! Which broker coordinates a group.

use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::find_coordinator::FindCoordinatorRequest;
use ottla_types::{GroupId, NodeId};

use super::{Cluster, Lane, Retry, Want};
use crate::error::check;
use crate::wire::Connection;
use crate::{ClientError, Result};

/// The key type of consumer groups.
const GROUP: i8 = 0;

impl Cluster {
    /// The connection of `lane` to the coordinator of `group`.
    pub(crate) async fn coordinator(&self, group: &GroupId, lane: Lane) -> Result<Arc<Connection>> {
        let known = self.lock().coordinators.get(group).copied();
        let id = match known {
            Some(id) => id,
            None => self.find_coordinator(group).await?,
        };
        let connection = self.broker_on(id, lane).await;
        if connection.is_err() {
            self.forget_coordinator(group);
        }
        connection
    }

    /// After NOT_COORDINATOR or a lost connection: ask anew next time.
    pub(crate) fn forget_coordinator(&self, group: &GroupId) {
        self.lock().coordinators.remove(group);
    }

    /// Whether `error` means that the coordinator is another one.
    pub(crate) fn lost_coordinator(error: &ClientError) -> bool {
        match error {
            ClientError::Disconnected { .. }
            | ClientError::Unreachable { .. }
            | ClientError::UnknownBroker { .. } => true,
            ClientError::Broker { code, .. } => {
                matches!(*code, ErrorCode::NOT_COORDINATOR | ErrorCode::COORDINATOR_NOT_AVAILABLE)
            }
            _ => false,
        }
    }

    async fn find_coordinator(&self, group: &GroupId) -> Result<NodeId> {
        let mut retry = Retry::new(self, format!("finding the coordinator of group {group}"));
        loop {
            match self.ask_coordinator(group).await {
                Ok(id) => {
                    self.lock().coordinators.insert(group.clone(), id);
                    return Ok(id);
                }
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_coordinator(&self, group: &GroupId) -> Result<NodeId> {
        let connection = self.any().await?;
        let what = || format!("the coordinator of group {group}");
        // Until version 3 one key in a field of its own, then an array.
        let batched = FindCoordinatorRequest {
            key_type: GROUP,
            coordinator_keys: vec![group.clone()],
            ..FindCoordinatorRequest::default()
        };
        let single = FindCoordinatorRequest {
            key: group.clone(),
            key_type: GROUP,
            ..FindCoordinatorRequest::default()
        };
        let request = if connection.version_of::<FindCoordinatorRequest>()? >= 4 { batched } else { single };
        let response = connection.call(&request).await?;
        check(response.error_code, response.error_message.as_deref(), what)?;
        let id = match response.coordinators.first() {
            Some(found) => {
                check(found.error_code, found.error_message.as_deref(), what)?;
                found.node_id
            }
            None => response.node_id,
        };
        let id = NodeId(id);
        if !self.metadata().brokers.contains_key(&id) {
            self.refresh(Want::Brokers, false).await?;
        }
        Ok(id)
    }
}
