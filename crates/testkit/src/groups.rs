//! Members of classic groups and committed offsets by raw protocol.

use bytes::Bytes;
use ottla_protocol::messages::find_coordinator::FindCoordinatorRequest;
use ottla_protocol::messages::heartbeat::HeartbeatRequest;
use ottla_protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use ottla_protocol::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use ottla_protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use ottla_protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use ottla_protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse};
use ottla_protocol::{ByteString, ErrorCode};

use crate::{RawClient, eventually};

/// One member of a group, on a connection of its own.
#[derive(Debug)]
pub struct Member {
    /// Its connection.
    pub client: RawClient,
    /// Its id, once the coordinator has given it one.
    pub id: ByteString,
    /// The generation that it joined last.
    pub generation: i32,
    /// `group.instance.id`.
    pub instance: Option<ByteString>,
    group: ByteString,
    session_timeout_ms: i32,
}

impl Member {
    /// A member that has not joined yet.
    pub fn new(client: RawClient, group: &str) -> Self {
        Self {
            client,
            id: ByteString::new(),
            generation: -1,
            instance: None,
            group: group.into(),
            session_timeout_ms: 10_000,
        }
    }

    /// Sets the session timeout, ms.
    #[must_use]
    pub const fn session_timeout_ms(mut self, ms: i32) -> Self {
        self.session_timeout_ms = ms;
        self
    }

    /// Makes it static.
    #[must_use]
    pub fn instance(mut self, instance: &str) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Asks to join and does not wait; returns the correlation id. Gets a member id first.
    pub fn send_join(&mut self) -> i32 {
        if self.id.is_empty() && self.instance.is_none() {
            let id = self.client.send(9, &self.join_request());
            let response = self.client.receive::<JoinGroupRequest>(9, id);
            assert_eq!(response.error_code, ErrorCode::MEMBER_ID_REQUIRED);
            self.id = response.member_id;
        }
        self.client.send(9, &self.join_request())
    }

    /// The answer to [`Member::send_join`].
    pub fn receive_join(&mut self, correlation_id: i32) -> JoinGroupResponse {
        let response = self.client.receive::<JoinGroupRequest>(9, correlation_id);
        if response.error_code == ErrorCode::NONE {
            self.id = response.member_id.clone();
            self.generation = response.generation_id;
        }
        response
    }

    /// Joins, where nobody else has to join first.
    pub fn join(&mut self) -> JoinGroupResponse {
        let id = self.send_join();
        let response = self.receive_join(id);
        assert_eq!(response.error_code, ErrorCode::NONE, "{response:?}");
        response
    }

    /// Brings (a leader) or fetches (a follower) the assignment.
    pub fn sync(&mut self, assignments: &[(&ByteString, &str)]) -> SyncGroupResponse {
        let id = self.send_sync(assignments);
        self.receive_sync(id)
    }

    /// The same without waiting; returns the correlation id.
    pub fn send_sync(&mut self, assignments: &[(&ByteString, &str)]) -> i32 {
        let assignment = |(member, assignment): &(&ByteString, &str)| SyncGroupRequestAssignment {
            member_id: (*member).clone(),
            assignment: Bytes::copy_from_slice(assignment.as_bytes()),
            ..Default::default()
        };
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance.clone(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments: assignments.iter().map(assignment).collect(),
            ..Default::default()
        };
        self.client.send(5, &request)
    }

    /// The answer to [`Member::send_sync`].
    pub fn receive_sync(&mut self, correlation_id: i32) -> SyncGroupResponse {
        self.client.receive::<SyncGroupRequest>(5, correlation_id)
    }

    /// Says that it is alive; what the coordinator makes of it.
    pub fn heartbeat(&mut self) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance.clone(),
            ..Default::default()
        };
        self.client.call(4, &request).error_code
    }

    /// Leaves.
    pub fn leave(&mut self) -> ErrorCode {
        let member = MemberIdentity {
            member_id: self.id.clone(),
            group_instance_id: self.instance.clone(),
            ..Default::default()
        };
        let request =
            LeaveGroupRequest { group_id: self.group.clone(), members: vec![member], ..Default::default() };
        let response = self.client.call(5, &request);
        response.members.first().map_or(response.error_code, |member| member.error_code)
    }

    /// Commits an offset of partition 0 as this member.
    pub fn commit(&mut self, topic: &str, offset: i64) -> ErrorCode {
        let request = OffsetCommitRequest {
            member_id: self.id.clone(),
            generation_id_or_member_epoch: self.generation,
            group_instance_id: self.instance.clone(),
            ..commit_request(&self.group, topic, offset)
        };
        self.client.call(9, &request).topics.remove(0).partitions.remove(0).error_code
    }

    fn join_request(&self) -> JoinGroupRequest {
        let protocol = JoinGroupRequestProtocol {
            name: "range".into(),
            metadata: Bytes::from_static(b"subscription"),
            ..Default::default()
        };
        JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: self.session_timeout_ms,
            rebalance_timeout_ms: 10_000,
            member_id: self.id.clone(),
            group_instance_id: self.instance.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![protocol],
            ..Default::default()
        }
    }
}

impl RawClient {
    /// Waits until the group has a coordinator that has loaded it.
    pub fn wait_for_coordinator(&mut self, group: &str) {
        let request = FindCoordinatorRequest { coordinator_keys: vec![group.into()], ..Default::default() };
        eventually(&format!("{group} has no coordinator"), || {
            let found = self.call(4, &request).coordinators.remove(0);
            (found.error_code == ErrorCode::NONE).then_some(())
        });
        eventually(&format!("the coordinator of {group} does not load"), || {
            (self.fetch_committed_or_error(group, "none").is_ok()).then_some(())
        });
    }

    /// Commits an offset of partition 0 without being a member.
    pub fn commit_offset(&mut self, group: &str, topic: &str, offset: i64) -> ErrorCode {
        let request = commit_request(&group.into(), topic, offset);
        self.call(9, &request).topics.remove(0).partitions.remove(0).error_code
    }

    /// The committed offset of partition 0; −1 if there is none.
    pub fn committed_offset(&mut self, group: &str, topic: &str) -> i64 {
        eventually(&format!("the coordinator of {group} does not answer"), || {
            self.fetch_committed_or_error(group, topic).ok()
        })
    }

    fn fetch_committed_or_error(&mut self, group: &str, topic: &str) -> Result<i64, ErrorCode> {
        let topics =
            OffsetFetchRequestTopics { name: topic.into(), partition_indexes: vec![0], ..Default::default() };
        let group = OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![topics]),
            ..Default::default()
        };
        let mut group =
            self.call(8, &OffsetFetchRequest { groups: vec![group], ..Default::default() }).groups.remove(0);
        match group.error_code {
            ErrorCode::NONE => Ok(group.topics.remove(0).partitions.remove(0).committed_offset),
            error => Err(error),
        }
    }
}

fn commit_request(group: &ByteString, topic: &str, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: 0,
        committed_offset: offset,
        committed_metadata: Some("noted".into()),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group.clone(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}
