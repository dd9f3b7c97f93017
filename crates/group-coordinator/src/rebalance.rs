//! The rebalance of a classic group: collect JoinGroup requests, begin a generation, hand out assignments.

use ottla_types::Bytes;

use crate::error::GroupError;
use crate::group::{ClassicGroup, InitialDelay};
use crate::join_group::{Joined, JoinedMember};
use crate::member::{Member, MemberId};
use crate::records;
use crate::response::GroupResponse;
use crate::shard::{Cx, Out};
use crate::state::GroupState;
use crate::sync_group::Synced;
use crate::timer::GroupTimer;

impl ClassicGroup {
    /// Begins a rebalance, unless one is collecting members already: then ends it if all have joined.
    pub(crate) fn rebalance_or_complete_join(&mut self, cx: Cx<'_>, out: &mut Out) {
        match self.state {
            GroupState::Empty | GroupState::CompletingRebalance | GroupState::Stable => {
                self.prepare_rebalance(cx, out);
            }
            GroupState::PreparingRebalance | GroupState::Dead => self.maybe_complete_join(cx, out),
        }
    }

    /// Begins a rebalance. Members that wait for an assignment must join again. An empty group waits a
    /// while for more members; any other until all its members have joined.
    pub(crate) fn prepare_rebalance(&mut self, cx: Cx<'_>, out: &mut Out) {
        if self.state == GroupState::CompletingRebalance {
            self.reset_assignments(&GroupError::RebalanceInProgress, cx, out);
        }
        self.pending_sync.clear();
        out.cancel_timer(GroupTimer::Sync(self.id.clone()));
        let is_initial = self.is_empty();
        self.transition_to(GroupState::PreparingRebalance, cx);
        if is_initial {
            let delay_ms = cx.config.initial_rebalance_delay_ms.max(0);
            let remaining_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms).max(0);
            self.delay_initial_rebalance(delay_ms, remaining_ms, cx, out);
        } else if self.has_all_members_joined() {
            self.complete_join(cx, out);
        } else {
            let deadline = cx.after_ms(self.rebalance_timeout_ms());
            out.set_timer(GroupTimer::Join(self.id.clone()), deadline);
        }
    }

    /// Ends the join phase if all members have joined. The first rebalance of an empty group runs its full
    /// delay.
    pub(crate) fn maybe_complete_join(&mut self, cx: Cx<'_>, out: &mut Out) {
        if self.state == GroupState::PreparingRebalance
            && self.previous_state != GroupState::Empty
            && self.has_all_members_joined()
        {
            self.complete_join(cx, out);
        }
    }

    /// The time for joining is up. If members arrived during the initial delay, it is extended.
    pub(crate) fn join_timer(&mut self, cx: Cx<'_>, out: &mut Out) {
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        match self.initial_delay {
            Some(InitialDelay { delay_ms, remaining_ms, new_member_added: true }) if remaining_ms > 0 => {
                let next_ms = cx.config.initial_rebalance_delay_ms.clamp(0, remaining_ms);
                self.delay_initial_rebalance(next_ms, remaining_ms.saturating_sub(delay_ms).max(0), cx, out);
            }
            _ => self.complete_join(cx, out),
        }
    }

    /// Ends the join phase: drops dynamic members that did not join, begins the next generation, and tells
    /// its members. A generation without members is written down at once.
    pub(crate) fn complete_join(&mut self, cx: Cx<'_>, out: &mut Out) {
        out.cancel_timer(GroupTimer::Join(self.id.clone()));
        self.initial_delay = None;
        let is_gone = |member: &&Member| member.join.is_none() && !member.is_static();
        let gone: Vec<_> = self.members.values().filter(is_gone).map(|member| member.id.clone()).collect();
        for member_id in gone {
            self.remove(&member_id, out);
        }
        if !self.elect_joined_leader() && !self.members.is_empty() {
            // Only static members are left and none has joined: they may until their sessions expire.
            let deadline = cx.after_ms(self.rebalance_timeout_ms());
            out.set_timer(GroupTimer::Join(self.id.clone()), deadline);
            return;
        }
        self.begin_generation(cx);
        if self.is_empty() {
            out.records.extend(records::group_metadata(&self.id, &self.to_stored()));
        } else {
            self.answer_joins(cx, out);
            out.set_timer(GroupTimer::Sync(self.id.clone()), cx.after_ms(self.rebalance_timeout_ms()));
        }
    }

    /// What a member learns from JoinGroup in this generation; the leader also all members' metadata.
    pub(crate) fn joined(&self, member_id: &MemberId) -> Joined {
        let members = if self.is_leader(member_id) { self.joined_members() } else { Vec::new() };
        Joined {
            member_id: member_id.clone(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: false,
            members,
        }
    }

    /// What a member learns from SyncGroup.
    pub(crate) fn synced(&self, member: &Member) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: member.assignment.clone(),
        }
    }

    /// Answers the parked SyncGroup requests with the assignments.
    pub(crate) fn propagate_assignments(&mut self, cx: Cx<'_>, out: &mut Out) {
        let waiting = self.take_parked_syncs();
        for (member_id, id) in waiting {
            if let Some(member) = self.members.get(&member_id) {
                out.reply(id, Ok(GroupResponse::Sync(self.synced(member))));
            }
            self.renew_session(&member_id, cx, out);
        }
    }

    /// Forgets all assignments and answers the parked SyncGroup requests with `error`.
    pub(crate) fn reset_assignments(&mut self, error: &GroupError, cx: Cx<'_>, out: &mut Out) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        for (member_id, id) in self.take_parked_syncs() {
            out.reply(id, Err(error.clone()));
            self.renew_session(&member_id, cx, out);
        }
    }

    /// Removes members that have not sent SyncGroup in time, and rebalances without them.
    pub(crate) fn sync_timer(&mut self, cx: Cx<'_>, out: &mut Out) {
        let is_syncing = matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable);
        if !is_syncing || self.pending_sync.is_empty() {
            return;
        }
        for member_id in std::mem::take(&mut self.pending_sync) {
            self.remove(&member_id, out);
        }
        self.prepare_rebalance(cx, out);
    }

    /// Members could not reach the group for a while, and none is late for it: each has a whole session again, and a rebalance
    /// that waits for them all its time. The delay of a first one waits for nobody in particular, and goes on.
    pub(crate) fn resume(&self, cx: Cx<'_>, out: &mut Out) {
        for member_id in self.members.keys() {
            self.renew_session(member_id, cx, out);
        }
        let deadline = cx.after_ms(self.rebalance_timeout_ms());
        if self.state == GroupState::PreparingRebalance && self.initial_delay.is_none() {
            out.set_timer(GroupTimer::Join(self.id.clone()), deadline);
        }
        if !self.pending_sync.is_empty() {
            out.set_timer(GroupTimer::Sync(self.id.clone()), deadline);
        }
    }

    fn delay_initial_rebalance(&mut self, delay_ms: i32, remaining_ms: i32, cx: Cx<'_>, out: &mut Out) {
        self.initial_delay = Some(InitialDelay { delay_ms, remaining_ms, new_member_added: false });
        out.set_timer(GroupTimer::Join(self.id.clone()), cx.after_ms(delay_ms));
    }

    /// Makes a member that has joined the leader if the present leader has not. Whether there is one.
    fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |id: &MemberId| self.members.get(id).is_some_and(|member| member.join.is_some());
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let joined = self.members.values().find(|member| member.join.is_some());
        match joined.map(|member| member.id.clone()) {
            Some(member_id) => {
                self.leader = Some(member_id);
                true
            }
            None => false,
        }
    }

    fn begin_generation(&mut self, cx: Cx<'_>) {
        // A group would have to rebalance every second for 68 years to get there.
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.protocol = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        let state = if self.members.is_empty() { GroupState::Empty } else { GroupState::CompletingRebalance };
        self.transition_to(state, cx);
        self.pending_sync.clear();
    }

    fn answer_joins(&mut self, cx: Cx<'_>, out: &mut Out) {
        let mut parked = Vec::new();
        for member in self.members.values_mut() {
            member.is_new = false;
            self.pending_sync.insert(member.id.clone());
            parked.push((member.id.clone(), member.join.take()));
        }
        for (member_id, join) in parked {
            if let Some(id) = join {
                out.reply(id, Ok(GroupResponse::Join(self.joined(&member_id))));
            }
            self.renew_session(&member_id, cx, out);
        }
    }

    pub(crate) fn joined_members(&self) -> Vec<JoinedMember> {
        let protocol = self.protocol.clone().unwrap_or_default();
        let joined = |member: &Member| JoinedMember {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            metadata: member.metadata(&protocol),
        };
        self.members.values().map(joined).collect()
    }

    fn take_parked_syncs(&mut self) -> Vec<(MemberId, ottla_coordinator::RequestId)> {
        let parked = |member: &mut Member| member.sync.take().map(|id| (member.id.clone(), id));
        self.members.values_mut().filter_map(parked).collect()
    }
}
