//! What the requests that change the voters of the quorum have in common.

use ottla_config::Endpoint;
use ottla_types::{ByteString, DirectoryId, NodeId};

use crate::Controller;
use crate::error::VoterError;

impl Controller {
    /// Errors if this controller does not lead, or the voters are named in the configuration.
    pub(crate) fn check_changes_voters(&self) -> Result<(), VoterError> {
        let state = self.quorum_state();
        if !state.is_leader() {
            return Err(VoterError::NotLeader { leader: state.leader });
        }
        if !self.image().features.dynamic_voters() {
            return Err(VoterError::FixedVoters);
        }
        Ok(())
    }

    /// Where a voter listens for controllers: at the endpoint of the listener that controllers here use.
    pub(crate) fn voter_endpoint<'a>(
        &self,
        mut listeners: impl Iterator<Item = (&'a ByteString, &'a ByteString, u16)>,
    ) -> Result<String, VoterError> {
        let listener = self.controller_listener();
        let found =
            listeners.find(|(name, host, _)| name.eq_ignore_ascii_case(&listener) && !host.is_empty());
        let (_, host, port) =
            found.ok_or_else(|| VoterError::NoListener { listener: listener.to_string() })?;
        Ok(Endpoint { host: host.to_string(), port }.to_string())
    }
}

/// Errors if another cluster is meant.
pub(crate) fn check_cluster(controller: &Controller, given: Option<&ByteString>) -> Result<(), VoterError> {
    let own = controller.cluster_id();
    match given {
        Some(given) if **given != *own => {
            Err(VoterError::ClusterId { given: given.to_string(), own: own.to_owned() })
        }
        _ => Ok(()),
    }
}

/// The id of a voter that is named in full.
pub(crate) fn voter_id(id: i32, directory_id: DirectoryId) -> Result<NodeId, VoterError> {
    if id < 0 || directory_id.is_zero() {
        return Err(VoterError::NoVoter);
    }
    Ok(NodeId(id))
}
