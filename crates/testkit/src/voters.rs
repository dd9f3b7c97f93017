//! The members of a metadata quorum, and changes of them, as a client sees and asks for them.

use std::collections::BTreeMap;

use ottla_protocol::messages::add_raft_voter::Listener;
use ottla_protocol::messages::update_features::FeatureUpdateKey;
use ottla_protocol::messages::{AddRaftVoterRequest, RemoveRaftVoterRequest, UpdateFeaturesRequest};
use ottla_protocol::{ErrorCode, Uuid};

use crate::{RawClient, describe_quorum};

/// Who takes part, with directories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Who leads.
    pub leader: i32,
    /// Those with a vote.
    pub voters: BTreeMap<i32, Uuid>,
    /// Those without.
    pub observers: BTreeMap<i32, Uuid>,
}

impl Members {
    /// The ids of the voters.
    pub fn voter_ids(&self) -> Vec<i32> {
        self.voters.keys().copied().collect()
    }

    /// The ids of the observers.
    pub fn observer_ids(&self) -> Vec<i32> {
        self.observers.keys().copied().collect()
    }
}

impl RawClient {
    /// The members of the quorum; `None` while nobody leads it.
    pub fn members(&mut self) -> Option<Members> {
        let quorum = describe_quorum(self);
        let partition = quorum.topics.first()?.partitions.first()?;
        let ids = |replicas: &[ottla_protocol::messages::describe_quorum::ReplicaState]| {
            replicas.iter().map(|replica| (replica.replica_id, replica.replica_directory_id)).collect()
        };
        (quorum.error_code == ErrorCode::NONE && partition.leader_id >= 0).then(|| Members {
            leader: partition.leader_id,
            voters: ids(&partition.current_voters),
            observers: ids(&partition.observers),
        })
    }

    /// Asks for a vote for a controller at a port of this machine.
    pub fn add_voter(&mut self, id: i32, directory_id: Uuid, port: u16) -> (ErrorCode, String) {
        let listener =
            Listener { name: "CONTROLLER".into(), host: "127.0.0.1".into(), port, ..Default::default() };
        let request = AddRaftVoterRequest {
            cluster_id: None,
            timeout_ms: 10_000,
            voter_id: id,
            voter_directory_id: directory_id,
            listeners: vec![listener],
            ..Default::default()
        };
        let response = self.call(1, &request);
        (response.error_code, response.error_message.unwrap_or_default().to_string())
    }

    /// Takes the vote from a controller.
    pub fn remove_voter(&mut self, id: i32, directory_id: Uuid) -> (ErrorCode, String) {
        let request = RemoveRaftVoterRequest {
            cluster_id: None,
            voter_id: id,
            voter_directory_id: directory_id,
            ..Default::default()
        };
        let response = self.call(0, &request);
        (response.error_code, response.error_message.unwrap_or_default().to_string())
    }

    /// Raises a feature.
    pub fn upgrade_feature(&mut self, feature: &str, level: i16) -> ErrorCode {
        let update = FeatureUpdateKey {
            feature: feature.into(),
            max_version_level: level,
            upgrade_type: 1,
            ..Default::default()
        };
        let request =
            UpdateFeaturesRequest { timeout_ms: 10_000, feature_updates: vec![update], ..Default::default() };
        self.call(1, &request).error_code
    }
}
