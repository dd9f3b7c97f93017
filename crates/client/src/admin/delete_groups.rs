//! Deleting groups.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::delete_groups::DeleteGroupsRequest;

use super::{Admin, silent};
use crate::error::check;
use crate::{ClientError, Result};

impl Admin {
    /// Deletes a group without members, and its offsets.
    pub async fn delete_group(&self, group: &str) -> Result<()> {
        let what = format!("deleting group {group}");
        let request =
            DeleteGroupsRequest { groups_names: vec![group.into()], ..DeleteGroupsRequest::default() };
        let (request, what) = (&request, &what);
        self.at_coordinator(group, what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            let result = response.results.into_iter().next().ok_or_else(|| silent(&connection, what))?;
            if result.error_code == ErrorCode::GROUP_ID_NOT_FOUND {
                return Err(ClientError::UnknownGroup { group: group.to_owned() });
            }
            check(result.error_code, result.error_message.as_deref(), || what.clone())
        })
        .await
    }
}
