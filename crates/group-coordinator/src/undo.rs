//! How soft state is mended when a decision's records did not get into the log.

use ottla_types::GroupId;

use crate::error::GroupError;
use crate::group::ClassicGroup;
use crate::groups::Groups;
use crate::member::{Member, MemberId};
use crate::shard::{Cx, Out};
use crate::timer::GroupTimer;

/// The soft change that presumed an append. What is not here is true or harmless either way: sessions that
/// were renewed, members that left. A group found empty stays so; its last generation in the log would
/// only come back with a reload, and then expire with its members' sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupUndo(pub(crate) Change);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A group was created.
    NewGroup(GroupId),
    /// A generation got its assignments.
    Assignment(GroupId),
    /// A static member was replaced in a stable group.
    StaticMember { group: GroupId, new_id: MemberId, old: Box<Member>, leader: Option<MemberId> },
    /// Tombstones were to be written; the timer that continues was set to now.
    Sweep(GroupTimer),
}

impl GroupUndo {
    pub(crate) fn apply(self, groups: &mut Groups, cx: Cx<'_>, error: &GroupError, out: &mut Out) {
        match self.0 {
            Change::NewGroup(id) => {
                if let Some(group) = groups.forget(&id) {
                    dissolve(group, error, out);
                }
            }
            Change::Assignment(id) => {
                // The waiting members got the error. All join again.
                if let Some(group) = groups.get_mut(&id) {
                    group.reset_assignments(error, cx, out);
                    group.prepare_rebalance(cx, out);
                }
            }
            Change::StaticMember { group, new_id, old, leader } => {
                if let Some(group) = groups.get_mut(&group) {
                    restore_static_member(group, &new_id, *old, leader, cx, out);
                }
            }
            Change::Sweep(timer) => out.set_timer(timer, cx.next_check()),
        }
    }
}

/// Answers and ends everything that a group which never was had begun.
fn dissolve(mut group: ClassicGroup, error: &GroupError, out: &mut Out) {
    group.answer_all(error, out);
    for member_id in group.members.keys().chain(&group.pending_join) {
        out.cancel_timer(group.session_timer(member_id));
    }
    out.cancel_timer(GroupTimer::Join(group.id));
}

fn restore_static_member(
    group: &mut ClassicGroup,
    new_id: &MemberId,
    old: Member,
    leader: Option<MemberId>,
    cx: Cx<'_>,
    out: &mut Out,
) {
    let old_id = old.id.clone();
    group.members.remove(new_id);
    out.cancel_timer(group.session_timer(new_id));
    if let Some(instance_id) = &old.instance_id {
        group.static_members.insert(instance_id.clone(), old_id.clone());
    }
    if group.pending_sync.remove(new_id) {
        group.pending_sync.insert(old_id.clone());
    }
    group.members.insert(old_id.clone(), old);
    group.leader = leader;
    group.renew_session(&old_id, cx, out);
}
