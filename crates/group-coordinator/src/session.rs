//! The end of a session: a member was silent for its session timeout, or a pending one did not join.

use ottla_types::GroupId;

use crate::group::ClassicGroup;
use crate::member::MemberId;
use crate::shard::{Cx, GroupShard, Out};
use crate::state::GroupState;

impl GroupShard {
    pub(crate) fn session_timer(
        &mut self,
        cx: Cx<'_>,
        group_id: &GroupId,
        member_id: &MemberId,
        out: &mut Out,
    ) {
        if let Some(group) = self.groups.get_mut(group_id) {
            group.session_expired(cx, member_id, out);
        }
    }
}

impl ClassicGroup {
    fn session_expired(&mut self, cx: Cx<'_>, member_id: &MemberId, out: &mut Out) {
        let is_pending = self.pending_join.contains(member_id);
        let is_silent = self.members.get(member_id).is_some_and(|member| !member.has_satisfied_heartbeat());
        if !is_pending && !is_silent {
            return;
        }
        self.remove(member_id, out);
        match self.state {
            GroupState::PreparingRebalance => self.maybe_complete_join(cx, out),
            GroupState::CompletingRebalance | GroupState::Stable if !is_pending => {
                self.prepare_rebalance(cx, out);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "session_test.rs"]
mod tests;
