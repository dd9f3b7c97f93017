//! JoinGroup: become, or go on being, a member.
//!
//! A request that takes part in a rebalance is parked until the rebalance ends or the member goes. A member
//! whose metadata is unchanged is told of the present generation at once, unless it is the leader of a
//! stable group: that is how a leader asks for a rebalance.
//!
//! Versions: from 4 on a new dynamic member is sent away with MEMBER_ID_REQUIRED and joins again with the
//! id it got, so that a client that never sees its answer leaves no ghost behind (KIP-394); 5 brings static
//! members (KIP-345, `static_member.rs`); 9 brings SkipAssignment.
//!
//! Errors: INVALID_GROUP_ID, INVALID_SESSION_TIMEOUT, UNKNOWN_MEMBER_ID, GROUP_MAX_SIZE_REACHED,
//! INCONSISTENT_GROUP_PROTOCOL, MEMBER_ID_REQUIRED, FENCED_INSTANCE_ID.

use ottla_coordinator::RequestId;
use ottla_types::{ByteString, Bytes, Detach, GroupId};

use crate::error::GroupError;
use crate::group::{ClassicGroup, unknown};
use crate::member::{InstanceId, Member, MemberId, Protocol};
use crate::records;
use crate::response::GroupResponse;
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;
use crate::undo::{Change, GroupUndo};

/// The longest text that a group's record can carry, less what a member id adds to a client id.
const MAX_TEXT_LEN: usize = i16::MAX as usize - 64;

/// A JoinGroup request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JoinGroup {
    /// The group.
    pub group_id: GroupId,
    /// Empty for a member that has no id yet.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// From the request header; the member id begins with it.
    pub client_id: ByteString,
    /// The peer's address as Kafka prints it: `/127.0.0.1`.
    pub client_host: ByteString,
    /// How long the member may be silent, milliseconds.
    pub session_timeout_ms: i32,
    /// How long the member may take to join again, milliseconds; −1 (version 0) for the session timeout.
    pub rebalance_timeout_ms: i32,
    /// `consumer`, `connect`, `sr`, …
    pub protocol_type: ByteString,
    /// The assignment protocols that the member supports, best first.
    pub protocols: Vec<Protocol>,
    /// From version 4 on: a new dynamic member must join again with the id it is given.
    pub member_id_required: bool,
    /// From version 9 on: the client understands that it leads but need not assign.
    pub can_skip_assignment: bool,
    /// 16 random bytes, for the id of a new member.
    pub random: [u8; 16],
}

/// The generation that a member has joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The member's id.
    pub member_id: MemberId,
    /// The generation.
    pub generation: i32,
    /// The group's protocol type.
    pub protocol_type: Option<ByteString>,
    /// The protocol that all members support.
    pub protocol: Option<ByteString>,
    /// The member that assigns.
    pub leader: MemberId,
    /// The leader need not assign: the assignment it gets from SyncGroup stands.
    pub skip_assignment: bool,
    /// For the leader: all members.
    pub members: Vec<JoinedMember>,
}

/// What the leader learns of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// The member's id.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// Its metadata under the chosen protocol.
    pub metadata: Bytes,
}

impl JoinGroup {
    /// A member outlives the request that it came with.
    fn detach(&mut self) {
        self.instance_id = self.instance_id.detach();
        self.client_id = self.client_id.detach();
        self.client_host = self.client_host.detach();
        self.protocol_type = self.protocol_type.detach();
        for protocol in &mut self.protocols {
            *protocol = Protocol { name: protocol.name.detach(), metadata: protocol.metadata.detach() };
        }
    }
}

impl GroupShard {
    pub(crate) fn join_group(&mut self, cx: Cx<'_>, id: RequestId, request: JoinGroup, out: &mut Out) {
        if let Err(error) = self.try_join(cx, id, request, out) {
            out.reply(id, Err(error));
        }
    }

    /// Parks or answers the request, unless it is refused.
    fn try_join(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        mut request: JoinGroup,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        check_request(cx, &request)?;
        if request.rebalance_timeout_ms < 0 {
            request.rebalance_timeout_ms = request.session_timeout_ms;
        }
        let is_new_group = !self.groups.contains(&request.group_id);
        if is_new_group && !request.member_id.is_empty() {
            return Err(unknown(&request.member_id));
        }
        if is_new_group && (request.protocol_type.is_empty() || request.protocols.is_empty()) {
            // Kafka leaves an empty group behind.
            return Err(GroupError::InconsistentGroupProtocol);
        }
        let group = match self.groups.get_mut(&request.group_id) {
            Some(group) => group,
            None => {
                let group = self.groups.create(&request.group_id.detach(), cx.now.wall_ms);
                out.records.push(records::group_metadata(&group.id, &group.to_stored())?);
                out.undo = Some(GroupUndo(Change::NewGroup(group.id.clone())));
                group
            }
        };
        if !accepts(group, &request.member_id, cx) {
            group.remove(&request.member_id, out);
            return Err(GroupError::GroupMaxSizeReached { max_size: cx.config.max_size });
        }
        if !group.supports_protocols(&request.protocol_type, &request.protocols) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        request.detach();
        if request.member_id.is_empty() {
            group.join_new_member(cx, id, request, out)
        } else {
            group.join_known_member(cx, id, request, out)
        }
    }
}

impl ClassicGroup {
    fn join_new_member(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        request: JoinGroup,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let member_id = new_member_id(&request);
        if let Some(instance_id) = &request.instance_id {
            match self.static_members.get(instance_id).cloned() {
                Some(old_id) => self.replace_static_member(cx, id, &old_id, member_id, request, out)?,
                None => self.add_and_rebalance(cx, id, member_id, request, out),
            }
        } else if request.member_id_required {
            self.pending_join.insert(member_id.clone());
            out.set_timer(self.session_timer(&member_id), cx.after_ms(request.session_timeout_ms));
            return Err(GroupError::MemberIdRequired { member_id });
        } else {
            self.add_and_rebalance(cx, id, member_id, request, out);
        }
        Ok(())
    }

    fn join_known_member(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        request: JoinGroup,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let member_id = request.member_id.clone();
        if self.pending_join.contains(&member_id) && request.instance_id.is_none() {
            self.add_and_rebalance(cx, id, member_id, request, out);
            return Ok(());
        }
        self.validate_member(&member_id, request.instance_id.as_ref())?;
        let is_unchanged =
            self.members.get(&member_id).is_some_and(|member| member.protocols == request.protocols);
        let is_current = match self.state {
            GroupState::CompletingRebalance => is_unchanged,
            GroupState::Stable => is_unchanged && !self.is_leader(&member_id),
            GroupState::PreparingRebalance => false,
            GroupState::Empty | GroupState::Dead => return Err(unknown(&member_id)),
        };
        if is_current {
            // It may have missed the answer to its first request.
            out.reply(id, Ok(GroupResponse::Join(self.joined(&member_id))));
        } else {
            self.update_member(&member_id, id, request, out);
            self.rebalance_or_complete_join(cx, out);
        }
        Ok(())
    }

    fn add_and_rebalance(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        member_id: MemberId,
        request: JoinGroup,
        out: &mut Out,
    ) {
        let member = Member {
            id: member_id.clone(),
            instance_id: request.instance_id,
            client_id: request.client_id,
            client_host: request.client_host,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: request.protocols,
            assignment: Bytes::new(),
            join: Some(id),
            sync: None,
            is_new: true,
        };
        if let Some(delay) = &mut self.initial_delay {
            delay.new_member_added = true;
        }
        self.add(member, &request.protocol_type);
        // It has no id to send heartbeats with yet.
        let deadline = cx.after_ms(cx.config.new_member_join_timeout_ms);
        out.set_timer(self.session_timer(&member_id), deadline);
        self.rebalance_or_complete_join(cx, out);
    }

    /// Takes over what the member says of itself and parks its request. An older one that is still parked
    /// came over a connection that the client has given up.
    pub(crate) fn update_member(
        &mut self,
        member_id: &MemberId,
        id: RequestId,
        request: JoinGroup,
        out: &mut Out,
    ) {
        let Some(member) = self.members.get_mut(member_id) else { return };
        member.protocols = request.protocols;
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        member.session_timeout_ms = request.session_timeout_ms;
        if let Some(superseded) = member.join.replace(id) {
            out.reply(superseded, Err(GroupError::RebalanceInProgress));
        }
    }
}

fn check_request(cx: Cx<'_>, request: &JoinGroup) -> Result<(), GroupError> {
    if request.group_id.is_empty() {
        return Err(GroupError::InvalidGroupId);
    }
    let session_timeout_ms = request.session_timeout_ms;
    let (min_ms, max_ms) = (cx.config.min_session_timeout_ms, cx.config.max_session_timeout_ms);
    if !(min_ms..=max_ms).contains(&session_timeout_ms) {
        return Err(GroupError::InvalidSessionTimeout { session_timeout_ms, min_ms, max_ms });
    }
    let texts = [&request.group_id, &request.client_id, &request.client_host, &request.protocol_type];
    let names = request.protocols.iter().map(|protocol| &protocol.name);
    match texts.into_iter().chain(&request.instance_id).chain(names).find(|text| text.len() > MAX_TEXT_LEN) {
        Some(text) => Err(GroupError::Unwritable {
            reason: format!("a name of {} bytes is longer than {MAX_TEXT_LEN}", text.len()),
        }),
        None => Ok(()),
    }
}

/// Whether there is room. During a rebalance only members that have joined count: the group may be larger
/// than a lowered `group.max.size`, and then the last to join are turned away.
fn accepts(group: &ClassicGroup, member_id: &MemberId, cx: Cx<'_>) -> bool {
    let member = group.members.get(member_id);
    match group.state {
        GroupState::Empty | GroupState::Dead => true,
        GroupState::PreparingRebalance => {
            member.is_some_and(|member| member.join.is_some()) || group.awaiting_join() < cx.config.max_size
        }
        GroupState::CompletingRebalance | GroupState::Stable => {
            member.is_some() || group.members.len() < cx.config.max_size
        }
    }
}

/// Instance id or client id, `-`, and a random UUID, as Kafka's tools show it.
fn new_member_id(request: &JoinGroup) -> MemberId {
    let name = request.instance_id.as_ref().unwrap_or(&request.client_id);
    // Version 4, variant 1 (RFC 9562).
    let bits = u128::from_be_bytes(request.random);
    let bits = bits & !(0xf << 76) | 0x4 << 76;
    let bits = bits & !(0x3 << 62) | 0x2 << 62;
    let [a, b, c, d] = [bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff, bits >> 48 & 0xffff];
    let e = bits & 0xffff_ffff_ffff;
    format!("{name}-{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}").into()
}

#[cfg(test)]
#[path = "join_group_test.rs"]
mod tests;
