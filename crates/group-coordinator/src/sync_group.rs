//! SyncGroup: the leader brings the assignment, everyone fetches their own.
//!
//! Followers are parked until the leader's request. Its assignment is written to the log, and the answers
//! leave when that is committed.
//!
//! Versions: 3 brings static members, 5 the check of protocol type and name.
//!
//! Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
//! INCONSISTENT_GROUP_PROTOCOL, REBALANCE_IN_PROGRESS.

use std::collections::HashMap;

use ottla_coordinator::RequestId;
use ottla_types::{ByteString, Bytes, Detach, GroupId};

use crate::error::GroupError;
use crate::group::{ClassicGroup, unknown};
use crate::member::{InstanceId, MemberId};
use crate::records;
use crate::response::GroupResponse;
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;
use crate::timer::GroupTimer;
use crate::undo::{Change, GroupUndo};

/// A SyncGroup request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncGroup {
    /// The group.
    pub group_id: GroupId,
    /// The member.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// The generation that the member has joined.
    pub generation: i32,
    /// What the member takes for the group's protocol type.
    pub protocol_type: Option<ByteString>,
    /// What the member takes for the group's protocol.
    pub protocol: Option<ByteString>,
    /// From the leader: what each member is assigned.
    pub assignments: Vec<(MemberId, Bytes)>,
}

/// A member's assignment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// The group's protocol type.
    pub protocol_type: Option<ByteString>,
    /// The group's protocol.
    pub protocol: Option<ByteString>,
    /// Opaque; empty if the leader assigned nothing.
    pub assignment: Bytes,
}

impl GroupShard {
    pub(crate) fn sync_group(&mut self, cx: Cx<'_>, id: RequestId, request: SyncGroup, out: &mut Out) {
        match self.try_sync(cx, id, request, out) {
            Ok(has_assigned) => self.counters.completed_rebalances += u64::from(has_assigned),
            Err(error) => out.reply(id, Err(error)),
        }
    }

    /// Parks or answers the request, unless it is refused. Whether it brought the assignment.
    fn try_sync(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        request: SyncGroup,
        out: &mut Out,
    ) -> Result<bool, GroupError> {
        if request.group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let Some(group) = self.groups.get_mut(&request.group_id) else {
            return Err(unknown(&request.member_id));
        };
        group.validate_member(&request.member_id, request.instance_id.as_ref())?;
        group.validate_generation(request.generation)?;
        if is_other(&request.protocol_type, &group.protocol_type)
            || is_other(&request.protocol, &group.protocol)
        {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        match group.state {
            GroupState::Empty | GroupState::Dead => Err(unknown(&request.member_id)),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance if group.is_leader(&request.member_id) => {
                group.assign(cx, id, request, out).map(|()| true)
            }
            GroupState::CompletingRebalance => {
                group.park_sync(&request.member_id, id, out);
                Ok(false)
            }
            GroupState::Stable => {
                group.has_synced(&request.member_id, out);
                if let Some(member) = group.members.get(&request.member_id) {
                    out.reply(id, Ok(GroupResponse::Sync(group.synced(member))));
                }
                Ok(false)
            }
        }
    }
}

impl ClassicGroup {
    /// Takes over the leader's assignment. Members that it forgot are assigned nothing.
    fn assign(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        request: SyncGroup,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let mut assignments: HashMap<_, _> = request.assignments.into_iter().collect();
        for member in self.members.values_mut() {
            member.assignment = assignments.remove(&member.id).unwrap_or_default().detach();
        }
        let record = records::group_metadata(&self.id, &self.to_stored())?;
        out.records.push(record);
        out.undo = Some(GroupUndo(Change::Assignment(self.id.clone())));
        self.park_sync(&request.member_id, id, out);
        self.propagate_assignments(cx, out);
        self.transition_to(GroupState::Stable, cx);
        Ok(())
    }

    fn park_sync(&mut self, member_id: &MemberId, id: RequestId, out: &mut Out) {
        self.has_synced(member_id, out);
        if let Some(member) = self.members.get_mut(member_id)
            && let Some(superseded) = member.sync.replace(id)
        {
            out.reply(superseded, Err(GroupError::RebalanceInProgress));
        }
    }

    fn has_synced(&mut self, member_id: &MemberId, out: &mut Out) {
        if self.pending_sync.remove(member_id) && self.pending_sync.is_empty() {
            out.cancel_timer(GroupTimer::Sync(self.id.clone()));
        }
    }
}

/// Whether both name a protocol, and not the same.
fn is_other(requested: &Option<ByteString>, actual: &Option<ByteString>) -> bool {
    matches!((requested, actual), (Some(requested), Some(actual)) if requested != actual)
}

#[cfg(test)]
#[path = "sync_group_test.rs"]
mod tests;
