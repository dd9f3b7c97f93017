//! Taking the vote in the metadata quorum from a controller (KIP-853).

use ottla_protocol::messages::RemoveRaftVoterRequest;
use ottla_types::{DirectoryId, NodeId};

use super::Admin;
use crate::Result;
use crate::error::check;

impl Admin {
    /// Takes the vote from the controller `id` that keeps its log in `directory_id`, whether it lives or not.
    pub async fn remove_voter(&self, id: NodeId, directory_id: DirectoryId) -> Result<()> {
        let what = format!("removing voter {id} from the metadata quorum");
        let request = RemoveRaftVoterRequest {
            cluster_id: None,
            voter_id: id.0,
            voter_directory_id: directory_id,
            ..RemoveRaftVoterRequest::default()
        };
        let (request, what) = (&request, &what);
        self.at_controller(what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            check(response.error_code, response.error_message.as_deref(), || what.clone())
        })
        .await
    }
}
