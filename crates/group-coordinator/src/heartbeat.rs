//! Heartbeat: a member is alive, and learns whether to join again.
//!
//! Versions: 3 brings static members.
//!
//! Errors: INVALID_GROUP_ID, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
//! REBALANCE_IN_PROGRESS.

use ottla_types::GroupId;

use crate::error::GroupError;
use crate::group::unknown;
use crate::member::{InstanceId, MemberId};
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;

/// A Heartbeat request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// The group.
    pub group_id: GroupId,
    /// The member.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// The generation that the member has joined.
    pub generation: i32,
}

impl GroupShard {
    pub(crate) fn heartbeat(
        &mut self,
        cx: Cx<'_>,
        request: &Heartbeat,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        if request.group_id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        let Some(group) = self.groups.get_mut(&request.group_id) else {
            return Err(unknown(&request.member_id));
        };
        group.validate_member(&request.member_id, request.instance_id.as_ref())?;
        group.validate_generation(request.generation)?;
        group.renew_session(&request.member_id, cx, out);
        match group.state {
            GroupState::Empty | GroupState::Dead => Err(unknown(&request.member_id)),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
        }
    }
}
