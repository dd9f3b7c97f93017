//! Giving a controller a vote in the metadata quorum (KIP-853).

use ottla_protocol::messages::AddRaftVoterRequest;
use ottla_protocol::messages::add_raft_voter::Listener;
use ottla_types::{DirectoryId, NodeId};

use super::{Admin, QuorumEndpoint};
use crate::Result;
use crate::error::check;

impl Admin {
    /// Has the controller `id`, which keeps its log in `directory_id` and is reached at `endpoints`, vote. It must have the
    /// log already, as an observer.
    pub async fn add_voter(
        &self,
        id: NodeId,
        directory_id: DirectoryId,
        endpoints: &[QuorumEndpoint],
    ) -> Result<()> {
        let what = format!("adding voter {id} to the metadata quorum");
        let listeners = endpoints.iter().map(|at| Listener {
            name: at.listener.as_str().into(),
            host: at.host.as_str().into(),
            port: at.port,
            ..Listener::default()
        });
        let request = AddRaftVoterRequest {
            cluster_id: None,
            timeout_ms: self.timeout_ms(),
            voter_id: id.0,
            voter_directory_id: directory_id,
            listeners: listeners.collect(),
            ack_when_committed: true,
            ..AddRaftVoterRequest::default()
        };
        let (request, what) = (&request, &what);
        self.at_controller(what.clone(), move |connection| async move {
            let response = connection.call(request).await?;
            check(response.error_code, response.error_message.as_deref(), || what.clone())
        })
        .await
    }
}
