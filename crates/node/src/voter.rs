//! A controller in a quorum whose voters come and go tells the leader what that cannot know: where it is reached now
//! (UpdateRaftVoter), and, with `controller.quorum.auto.join.enable`, that it wants a vote (AddRaftVoter, and before that
//! RemoveRaftVoter of its former self, whose directory is gone).

use std::sync::Arc;
use std::time::Duration;

use ottla_config::Endpoint;
use ottla_consensus::{MemberState, QuorumState};
use ottla_controller::Controller;
use ottla_network::{ClientOptions, Connection};
use ottla_protocol::messages::update_raft_voter::{self, KRaftVersionFeature};
use ottla_protocol::messages::{
    AddRaftVoterRequest, RemoveRaftVoterRequest, UpdateRaftVoterRequest, add_raft_voter,
};
use ottla_protocol::{ErrorCode, Request};
use ottla_types::{DirectoryId, NodeId};

/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Who this controller is to the quorum.
pub(crate) struct OwnVoter {
    pub(crate) id: NodeId,
    pub(crate) directory_id: DirectoryId,
    /// The name of its controller listener.
    pub(crate) listener: String,
    pub(crate) endpoint: Endpoint,
    /// `controller.quorum.auto.join.enable`.
    pub(crate) joins: bool,
}

/// What the quorum is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wish {
    Update,
    Remove(DirectoryId),
    Add,
}

impl OwnVoter {
    /// Sees to it while the controller runs.
    pub(crate) async fn keep_known(self, controller: Arc<Controller>) {
        let mut states = controller.quorum_states();
        let mut told = String::new();
        loop {
            let has_wish = |state: &QuorumState| self.wish(state).is_some();
            let Ok(state) = states.wait_for(has_wish).await.map(|state| state.clone()) else { return };
            if controller.image().features.dynamic_voters()
                && let Some(wish) = self.wish(&state)
                && let Err(reason) = self.ask(&controller, &state, &wish).await
                && reason != told
            {
                tracing::warn!(
                    ?wish,
                    "the metadata quorum does not do what this controller asks for: {reason}"
                );
                told = reason;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn wish(&self, state: &QuorumState) -> Option<Wish> {
        state.leader?;
        let is_own = |member: &&MemberState| member.id == self.id && member.directory_id == self.directory_id;
        if let Some(voter) = state.voters.iter().find(is_own) {
            return (voter.endpoint != self.endpoint.to_string()).then_some(Wish::Update);
        }
        if !self.joins || !state.observers.iter().any(|member| is_own(&member)) {
            return None;
        }
        let former = state.voters.iter().find(|voter| voter.id == self.id);
        Some(former.map_or(Wish::Add, |former| Wish::Remove(former.directory_id)))
    }

    async fn ask(&self, controller: &Controller, state: &QuorumState, wish: &Wish) -> Result<(), String> {
        let leader = state.leader.ok_or("nobody leads")?;
        let address = match leader == self.id {
            true => self.endpoint.to_string(),
            false => {
                let leader = state.voters.iter().find(|voter| voter.id == leader);
                leader.map(|leader| leader.endpoint.clone()).ok_or("the leader is not a voter")?
            }
        };
        let cluster_id = Some(controller.cluster_id().into());
        let (name, host, port) =
            (self.listener.as_str().into(), self.endpoint.host.as_str().into(), self.endpoint.port);
        let error = match wish {
            Wish::Update => {
                let listener = update_raft_voter::Listener { name, host, port, ..Default::default() };
                let request = UpdateRaftVoterRequest {
                    cluster_id,
                    current_leader_epoch: state.epoch.0,
                    voter_id: self.id.0,
                    voter_directory_id: self.directory_id,
                    listeners: vec![listener],
                    kraft_version_feature: KRaftVersionFeature {
                        min_supported_version: 0,
                        max_supported_version: 1,
                        ..Default::default()
                    },
                    ..Default::default()
                };
                (send(&address, &request).await?.error_code, None)
            }
            Wish::Remove(former) => {
                let request = RemoveRaftVoterRequest {
                    cluster_id,
                    voter_id: self.id.0,
                    voter_directory_id: *former,
                    ..Default::default()
                };
                let response = send(&address, &request).await?;
                (response.error_code, response.error_message)
            }
            Wish::Add => {
                let listener = add_raft_voter::Listener { name, host, port, ..Default::default() };
                let request = AddRaftVoterRequest {
                    cluster_id,
                    timeout_ms: i32::try_from(ANSWER_WITHIN.as_millis()).unwrap_or(i32::MAX),
                    voter_id: self.id.0,
                    voter_directory_id: self.directory_id,
                    listeners: vec![listener],
                    ..Default::default()
                };
                let response = send(&address, &request).await?;
                (response.error_code, response.error_message)
            }
        };
        match error {
            (ErrorCode::NONE, _) => Ok(()),
            (code, message) => {
                Err(message.map_or_else(|| format!("{code:?}"), |message| message.to_string()))
            }
        }
    }
}

async fn send<R: Request>(address: &str, request: &R) -> Result<R::Response, String> {
    let connection = Connection::connect(address, PAUSE, ClientOptions::default()).await;
    let connection = connection.map_err(|error| error.to_string())?;
    connection.request(request, *R::VERSIONS.end(), ANSWER_WITHIN).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use ottla_consensus::Role;
    use ottla_types::{LeaderEpoch, Uuid};

    use super::*;

    const OWN: DirectoryId = Uuid([3; 16]);
    const FORMER: DirectoryId = Uuid([33; 16]);

    fn member(id: i32, directory_id: DirectoryId) -> MemberState {
        let endpoint = format!("host-{id}:9093");
        MemberState { id: NodeId(id), directory_id, endpoint, match_offset: None }
    }

    fn wish(joins: bool, voters: Vec<MemberState>, observers: Vec<MemberState>) -> Option<Wish> {
        let endpoint = Endpoint { host: "host-3".to_owned(), port: 9093 };
        let own = OwnVoter { id: NodeId(3), directory_id: OWN, listener: "C".to_owned(), endpoint, joins };
        own.wish(&QuorumState {
            leader: Some(NodeId(1)),
            epoch: LeaderEpoch(1),
            role: Role::Follower,
            committed_offset: None,
            applied_offset: None,
            last_offset: None,
            snapshot_offset: None,
            purged_offset: None,
            voters,
            observers,
            failure: None,
        })
    }

    #[test]
    fn it_asks_for_what_differs() {
        let one = || member(1, Uuid([1; 16]));
        assert_eq!(wish(true, vec![one(), member(3, OWN)], vec![]), None);
        let moved = MemberState { endpoint: "elsewhere:9093".to_owned(), ..member(3, OWN) };
        assert_eq!(wish(false, vec![one(), moved], vec![]), Some(Wish::Update));
        assert_eq!(wish(false, vec![one()], vec![member(3, OWN)]), None);
        assert_eq!(wish(true, vec![one()], vec![member(3, OWN)]), Some(Wish::Add));
        assert_eq!(
            wish(true, vec![one(), member(3, FORMER)], vec![member(3, OWN)]),
            Some(Wish::Remove(FORMER))
        );
        // Not before it follows.
        assert_eq!(wish(true, vec![one()], vec![]), None);
    }
}
