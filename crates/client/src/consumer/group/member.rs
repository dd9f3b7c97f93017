//! A classic group's member as a step machine: requests come out, answers go in (KIP-394, KIP-345).
//!
//! ```text
//!  Join ──answer──▶ leader?  ──yes──▶ Assign ──▶ Sync ──answer──▶ Joined
//!   ▲                  └─────no────────────────▶ Sync      │
//!   └──────── refused: a new member id, a new generation ◀─┘
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use ottla_protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse};
use ottla_types::{ByteString, TopicName, TopicPartition};

use super::assignor::{Assignor, Member};
use super::protocol;
use crate::cluster::Membership;
use crate::error::check;
use crate::{ClientError, Result};

const PROTOCOL_TYPE: &str = "consumer";

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this and give the answer to [`GroupMember::on_join`].
    Join(Box<JoinGroupRequest>),
    /// Learn how many partitions these topics have and call [`GroupMember::assign`].
    Assign(Vec<TopicName>),
    /// Send this and give the answer to [`GroupMember::on_sync`].
    Sync(Box<SyncGroupRequest>),
    /// Read these.
    Joined(Vec<TopicPartition>),
}

/// This consumer as its group's coordinator knows it.
#[derive(Debug)]
pub(crate) struct GroupMember {
    membership: Membership,
    assignors: Vec<Assignor>,
    session_timeout: Duration,
    rebalance_timeout: Duration,
    /// What the leader knows while it assigns.
    leading: Option<(Assignor, Vec<Member>)>,
    protocol: Option<ByteString>,
}

impl GroupMember {
    pub(crate) const fn new(
        group: ByteString,
        instance_id: Option<ByteString>,
        assignors: Vec<Assignor>,
        session_timeout: Duration,
        rebalance_timeout: Duration,
    ) -> Self {
        let membership =
            Membership { group, member_id: ByteString::from_static(""), instance_id, generation: -1 };
        Self { membership, assignors, session_timeout, rebalance_timeout, leading: None, protocol: None }
    }

    pub(crate) const fn membership(&self) -> &Membership {
        &self.membership
    }

    /// Whether this member assigns for all.
    pub(crate) const fn is_leader(&self) -> bool {
        self.leading.is_some()
    }

    /// Starts, or starts again.
    pub(crate) fn join(&self, topics: &[TopicName], owned: &[TopicPartition]) -> Result<Step> {
        let metadata = protocol::encode_subscription(topics, owned).map_err(|e| self.unreadable(&e))?;
        let protocols = self.assignors.iter().map(|a| JoinGroupRequestProtocol {
            name: a.name().into(),
            metadata: metadata.clone(),
            ..JoinGroupRequestProtocol::default()
        });
        Ok(Step::Join(Box::new(JoinGroupRequest {
            group_id: self.membership.group.clone(),
            session_timeout_ms: millis(self.session_timeout),
            rebalance_timeout_ms: millis(self.rebalance_timeout),
            member_id: self.membership.member_id.clone(),
            group_instance_id: self.membership.instance_id.clone(),
            protocol_type: PROTOCOL_TYPE.into(),
            protocols: protocols.collect(),
            ..JoinGroupRequest::default()
        })))
    }

    /// `None` means: join again.
    pub(crate) fn on_join(&mut self, response: JoinGroupResponse) -> Result<Option<Step>> {
        match response.error_code {
            ErrorCode::NONE => {}
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.membership.member_id = response.member_id;
                return Ok(None);
            }
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => {
                self.forget();
                return Ok(None);
            }
            ErrorCode::REBALANCE_IN_PROGRESS => return Ok(None),
            code => return Err(ClientError::broker(self.joining(), code, None)),
        }
        self.membership.member_id = response.member_id;
        self.membership.generation = response.generation_id;
        self.protocol = response.protocol_name.clone();
        self.leading = None;
        if response.leader != self.membership.member_id || response.skip_assignment {
            return Ok(Some(self.sync(Vec::new())));
        }
        let name = response.protocol_name.unwrap_or_default();
        let assignor = Assignor::from_name(&name).ok_or_else(|| {
            ClientError::broker(self.joining(), ErrorCode::INCONSISTENT_GROUP_PROTOCOL, None)
        })?;
        let mut members = Vec::new();
        let mut topics = Vec::new();
        for member in response.members {
            let wanted = protocol::decode_subscription(&member.metadata).map_err(|e| self.unreadable(&e))?;
            topics.extend(wanted.iter().cloned());
            members.push(Member {
                id: member.member_id.to_string(),
                instance_id: member.group_instance_id.map(|i| i.to_string()),
                topics: wanted,
            });
        }
        topics.sort();
        topics.dedup();
        self.leading = Some((assignor, members));
        Ok(Some(Step::Assign(topics)))
    }

    /// Shares the partitions among the members.
    pub(crate) fn assign(&self, counts: &BTreeMap<TopicName, i32>) -> Result<Step> {
        let Some((assignor, members)) = &self.leading else { return Ok(self.sync(Vec::new())) };
        let mut assignments = Vec::new();
        for (member_id, partitions) in assignor.assign(members, counts) {
            let assignment = protocol::encode_assignment(&partitions).map_err(|e| self.unreadable(&e))?;
            assignments.push(SyncGroupRequestAssignment {
                member_id: member_id.into(),
                assignment,
                ..SyncGroupRequestAssignment::default()
            });
        }
        Ok(self.sync(assignments))
    }

    /// `None` means: join again.
    pub(crate) fn on_sync(&mut self, response: &SyncGroupResponse) -> Result<Option<Step>> {
        match response.error_code {
            ErrorCode::REBALANCE_IN_PROGRESS => return Ok(None),
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => {
                self.forget();
                return Ok(None);
            }
            code => check(code, None, || self.joining())?,
        }
        let assigned = protocol::decode_assignment(&response.assignment).map_err(|e| self.unreadable(&e))?;
        Ok(Some(Step::Joined(assigned)))
    }

    /// The coordinator does not know this member any more: it joins as a new one.
    pub(crate) fn forget(&mut self) {
        self.membership.member_id = ByteString::default();
        self.membership.generation = -1;
        self.leading = None;
    }

    fn sync(&self, assignments: Vec<SyncGroupRequestAssignment>) -> Step {
        Step::Sync(Box::new(SyncGroupRequest {
            group_id: self.membership.group.clone(),
            generation_id: self.membership.generation,
            member_id: self.membership.member_id.clone(),
            group_instance_id: self.membership.instance_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name: self.protocol.clone(),
            assignments,
            ..SyncGroupRequest::default()
        }))
    }

    fn joining(&self) -> String {
        format!("joining group {}", self.membership.group)
    }

    fn unreadable(&self, error: &impl std::fmt::Display) -> ClientError {
        let broker = format!("a member of group {}", self.membership.group);
        ClientError::Malformed { broker, reason: error.to_string() }
    }
}

fn millis(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_protocol::messages::join_group::JoinGroupResponseMember;

    fn member() -> GroupMember {
        let second = Duration::from_secs(1);
        GroupMember::new("g".into(), None, vec![Assignor::Range], second, second)
    }

    fn answer(error_code: ErrorCode, leader: &str) -> JoinGroupResponse {
        let metadata = protocol::encode_subscription(&["t".into()], &[]).unwrap();
        let of = |id: &str| JoinGroupResponseMember {
            member_id: id.into(),
            metadata: metadata.clone(),
            ..JoinGroupResponseMember::default()
        };
        JoinGroupResponse {
            error_code,
            member_id: "me".into(),
            leader: leader.into(),
            generation_id: 4,
            protocol_name: Some("range".into()),
            members: vec![of("me"), of("you")],
            ..JoinGroupResponse::default()
        }
    }

    #[test]
    fn a_new_member_joins_twice() {
        let mut member = member();
        assert!(member.on_join(answer(ErrorCode::MEMBER_ID_REQUIRED, "")).unwrap().is_none());
        let Step::Join(request) = member.join(&["t".into()], &[]).unwrap() else { panic!() };
        assert_eq!(request.member_id, "me");
    }

    #[test]
    fn the_leader_assigns_for_all() {
        let mut member = member();
        let Some(Step::Assign(topics)) = member.on_join(answer(ErrorCode::NONE, "me")).unwrap() else {
            panic!()
        };
        assert_eq!(topics, [TopicName::from("t")]);
        let Step::Sync(sync) = member.assign(&BTreeMap::from([("t".into(), 3)])).unwrap() else { panic!() };
        assert_eq!(sync.generation_id, 4);
        let shares: Vec<_> = sync
            .assignments
            .iter()
            .map(|a| (a.member_id.to_string(), protocol::decode_assignment(&a.assignment).unwrap().len()))
            .collect();
        assert_eq!(shares, [("me".to_owned(), 2), ("you".to_owned(), 1)]);
    }

    #[test]
    fn a_follower_only_syncs() {
        let mut member = member();
        let Some(Step::Sync(sync)) = member.on_join(answer(ErrorCode::NONE, "you")).unwrap() else {
            panic!()
        };
        assert!(sync.assignments.is_empty());
        let assignment = protocol::encode_assignment(&[TopicPartition::new("t", 1)]).unwrap();
        let answer = SyncGroupResponse { assignment, ..SyncGroupResponse::default() };
        let Some(Step::Joined(partitions)) = member.on_sync(&answer).unwrap() else { panic!() };
        assert_eq!(partitions, [TopicPartition::new("t", 1)]);
    }

    #[test]
    fn a_forgotten_member_joins_as_a_new_one() {
        let mut member = member();
        member.on_join(answer(ErrorCode::NONE, "you")).unwrap();
        let refused = SyncGroupResponse { error_code: ErrorCode::UNKNOWN_MEMBER_ID, ..Default::default() };
        assert!(member.on_sync(&refused).unwrap().is_none());
        assert_eq!((member.membership().member_id.len(), member.membership().generation), (0, -1));
    }

    #[test]
    fn a_fenced_static_member_stops() {
        let error = member().on_join(answer(ErrorCode::FENCED_INSTANCE_ID, "")).unwrap_err();
        assert!(error.to_string().contains("its own group.instance.id"), "{error}");
    }
}
