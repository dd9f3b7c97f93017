//! JoinGroup of a static member whose instance id the group knows: a restarted process takes over from its
//! former self (KIP-345).
//!
//! In a stable group nothing moves as long as the chosen protocol stays the same: the new member inherits
//! the assignment, and only the log learns the new id. While assignments are being made, the leader has
//! already been told the old id, so the group rebalances.

use ottla_coordinator::RequestId;

use crate::error::GroupError;
use crate::group::ClassicGroup;
use crate::join_group::{JoinGroup, Joined};
use crate::member::{Member, MemberId};
use crate::records;
use crate::response::GroupResponse;
use crate::shard::{Cx, Out};
use crate::state::GroupState;
use crate::undo::{Change, GroupUndo};

impl ClassicGroup {
    /// Puts the process that sent `request`, as `new_id`, in the place of `old_id`, whose parked requests
    /// are fenced.
    pub(crate) fn replace_static_member(
        &mut self,
        cx: Cx<'_>,
        id: RequestId,
        old_id: &MemberId,
        new_id: MemberId,
        request: JoinGroup,
        out: &mut Out,
    ) -> Result<(), GroupError> {
        let former_leader = self.leader.clone();
        let can_skip_assignment = request.can_skip_assignment;
        let Some(old) = self.rename_static_member(old_id, &new_id, out) else { return Ok(()) };
        self.update_member(&new_id, id, request, out);
        self.renew_session(&new_id, cx, out);
        match self.state {
            GroupState::Stable if self.select_protocol() == self.protocol => {
                if let Some(member) = self.members.get_mut(&new_id) {
                    member.join = None;
                }
                out.records.push(records::group_metadata(&self.id, &self.to_stored())?);
                let joined = self.joined_in_place(&new_id, can_skip_assignment, former_leader.as_ref());
                out.reply(id, Ok(GroupResponse::Join(joined)));
                let (group, old) = (self.id.clone(), Box::new(old));
                out.undo =
                    Some(GroupUndo(Change::StaticMember { group, new_id, old, leader: former_leader }));
            }
            GroupState::Stable | GroupState::CompletingRebalance => self.prepare_rebalance(cx, out),
            GroupState::PreparingRebalance | GroupState::Empty | GroupState::Dead => {
                self.maybe_complete_join(cx, out);
            }
        }
        Ok(())
    }

    /// Gives the member `old_id` the id `new_id`; the member as it was.
    fn rename_static_member(
        &mut self,
        old_id: &MemberId,
        new_id: &MemberId,
        out: &mut Out,
    ) -> Option<Member> {
        let mut old = self.members.remove(old_id)?;
        out.cancel_timer(self.session_timer(old_id));
        let instance_id = old.instance_id.clone().unwrap_or_default();
        let fenced = GroupError::FencedInstanceId { instance_id: instance_id.clone() };
        for parked in old.join.take().into_iter().chain(old.sync.take()) {
            out.reply(parked, Err(fenced.clone()));
        }
        if self.is_leader(old_id) {
            self.leader = Some(new_id.clone());
        }
        if self.pending_sync.remove(old_id) {
            self.pending_sync.insert(new_id.clone());
        }
        self.static_members.insert(instance_id, new_id.clone());
        let renamed = Member { id: new_id.clone(), is_new: false, ..old.clone() };
        self.members.insert(new_id.clone(), renamed);
        Some(old)
    }

    /// What the new process learns of a group that did not rebalance. A client that does not know
    /// SkipAssignment must not take itself for the leader, or it would assign: it is told the old id.
    fn joined_in_place(
        &self,
        new_id: &MemberId,
        can_skip_assignment: bool,
        former_leader: Option<&MemberId>,
    ) -> Joined {
        let joined = self.joined(new_id);
        if can_skip_assignment {
            Joined { skip_assignment: self.is_leader(new_id), ..joined }
        } else {
            Joined { leader: former_leader.cloned().unwrap_or_default(), members: Vec::new(), ..joined }
        }
    }
}

#[cfg(test)]
#[path = "static_member_test.rs"]
mod tests;
