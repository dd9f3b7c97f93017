use ottla_protocol::messages::{
    AddRaftVoterRequest, RemoveRaftVoterRequest, UpdateRaftVoterRequest, add_raft_voter as add,
    update_raft_voter as update,
};
use ottla_protocol::{ApiKey, ErrorCode};
use ottla_types::{NodeId, Uuid};

use super::*;
use crate::testing::*;

#[tokio::test]
async fn voters_are_added_removed_and_moved() {
    let f = Fixture::new().await;
    let directory = Uuid([4; 16]);
    let listener =
        |name: &str| add::Listener { name: name.into(), host: "h4".into(), port: 9094, ..Default::default() };
    let request = AddRaftVoterRequest {
        cluster_id: Some(CLUSTER.into()),
        timeout_ms: 1000,
        voter_id: 4,
        voter_directory_id: directory,
        listeners: vec![listener("OTHER"), listener("CONTROLLER")],
        ..Default::default()
    };
    let cx = cx::<AddRaftVoterRequest>();
    let ask = async |change: fn(&mut AddRaftVoterRequest)| {
        let mut request = request.clone();
        change(&mut request);
        add_raft_voter::handle(&f.controller, &cx, request).await.error_code
    };
    assert_eq!(ask(|r| r.cluster_id = Some("other".into())).await, ErrorCode::INCONSISTENT_CLUSTER_ID);
    assert_eq!(ask(|r| r.voter_id = -1).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(ask(|r| r.voter_directory_id = Uuid::ZERO).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(ask(|r| r.listeners.truncate(1)).await, ErrorCode::INVALID_REQUEST);
    assert_eq!(ask(|_| {}).await, ErrorCode::NONE);
    let voter = f.controller.quorum_state().voters.pop().unwrap();
    assert_eq!((voter.id, voter.directory_id, voter.endpoint.as_str()), (NodeId(4), directory, "h4:9094"));

    let moved = |epoch: i32, max: i16| UpdateRaftVoterRequest {
        cluster_id: None,
        current_leader_epoch: epoch,
        voter_id: 4,
        voter_directory_id: directory,
        listeners: vec![update::Listener {
            name: "controller".into(),
            host: "::1".into(),
            port: 9095,
            ..Default::default()
        }],
        kraft_version_feature: update::KRaftVersionFeature {
            max_supported_version: max,
            ..Default::default()
        },
        ..Default::default()
    };
    let cx = cx_in(ApiKey::UPDATE_RAFT_VOTER, 0);
    let ask = async |request| update_raft_voter::handle(&f.controller, &cx, request).await;
    assert_eq!(ask(moved(0, 1)).await.error_code, ErrorCode::FENCED_LEADER_EPOCH);
    assert_eq!(ask(moved(2, 1)).await.error_code, ErrorCode::UNKNOWN_LEADER_EPOCH);
    assert_eq!(ask(moved(1, 0)).await.error_code, ErrorCode::INVALID_REQUEST);
    let answer = ask(moved(1, 1)).await;
    assert_eq!((answer.error_code, answer.current_leader.leader_id), (ErrorCode::NONE, 1));
    assert_eq!(f.controller.quorum_state().voters.pop().unwrap().endpoint, "[::1]:9095");

    let request = RemoveRaftVoterRequest {
        cluster_id: None,
        voter_id: 4,
        voter_directory_id: directory,
        ..Default::default()
    };
    let cx = cx_in(ApiKey::REMOVE_RAFT_VOTER, 0);
    let ask = async || remove_raft_voter::handle(&f.controller, &cx, request.clone()).await;
    assert_eq!(ask().await.error_code, ErrorCode::NONE);
    let again = ask().await;
    assert_eq!(again.error_code, ErrorCode::VOTER_NOT_FOUND);
    assert!(again.error_message.unwrap().contains("is not part of the set of voters"));
    f.log.lead(None);
    let elsewhere = ask().await;
    assert_eq!((elsewhere.error_code, elsewhere.error_message), (ErrorCode::NOT_LEADER_OR_FOLLOWER, None));
}
