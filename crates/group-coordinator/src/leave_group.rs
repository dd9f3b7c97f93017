//! LeaveGroup: members go, or an administrator removes static members by instance id.
//!
//! Versions: from 3 on several members in one request; 5 gives a reason. Before 3 the one member's error
//! stands for the request's.
//!
//! Errors: INVALID_GROUP_ID; per member UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID.

use ottla_types::GroupId;

use crate::error::GroupError;
use crate::group::{ClassicGroup, unknown};
use crate::member::{InstanceId, MemberId};
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;

/// A LeaveGroup request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaveGroup {
    /// The group.
    pub group_id: GroupId,
    /// Who leaves.
    pub members: Vec<LeavingMember>,
}

/// A member that leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeavingMember {
    /// Its id; empty to remove whoever holds the instance id.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
}

/// What became of a member that was to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftMember {
    /// As in the request.
    pub member_id: MemberId,
    /// As in the request.
    pub instance_id: Option<InstanceId>,
    /// Whether it has left.
    pub result: Result<(), GroupError>,
}

impl GroupShard {
    pub(crate) fn leave_group(
        &mut self,
        cx: Cx<'_>,
        request: LeaveGroup,
        out: &mut Out,
    ) -> Result<Vec<LeftMember>, GroupError> {
        if request.group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let mut group = self.groups.get_mut(&request.group_id);
        let mut left = Vec::new();
        for LeavingMember { member_id, instance_id } in request.members {
            let result = match &mut group {
                Some(group) => group.leave(&member_id, instance_id.as_ref(), out),
                None => Err(unknown(&member_id)),
            };
            left.push(LeftMember { member_id, instance_id, result });
        }
        if let Some(group) = group.filter(|_| left.iter().any(|member| member.result.is_ok()))
            && group.state != GroupState::Empty
        {
            group.rebalance_or_complete_join(cx, out);
        }
        Ok(left)
    }
}

impl ClassicGroup {
    fn leave(
        &mut self,
        member_id: &MemberId,
        instance_id: Option<&InstanceId>,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let leaving = if member_id.is_empty() {
            let holder = instance_id.and_then(|instance_id| self.static_members.get(instance_id));
            holder.cloned().ok_or_else(|| unknown(member_id))?
        } else {
            if !self.pending_join.contains(member_id) {
                self.validate_member(member_id, instance_id)?;
            }
            member_id.clone()
        };
        self.remove(&leaving, out);
        Ok(())
    }
}

#[cfg(test)]
#[path = "leave_group_test.rs"]
mod tests;
