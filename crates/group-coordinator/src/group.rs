//! A classic group: what the log says of it and what has happened since.

use std::collections::{BTreeMap, BTreeSet};

use ottla_coordinator::RequestId;
use ottla_types::{ByteString, Bytes, GroupId, TimestampMs};

use crate::error::GroupError;
use crate::member::{InstanceId, Member, MemberId, Protocol};
use crate::shard::{Cx, Out};
use crate::state::GroupState;
use crate::stored::{StoredGroup, StoredMember};
use crate::subscription::{self, CONSUMER_PROTOCOL_TYPE};
use crate::timer::GroupTimer;

/// A classic group (Kafka: `ClassicGroup`). Soft: it is made from the log when first needed, may run ahead
/// of it during a rebalance, and is dropped with the shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClassicGroup {
    pub(crate) id: GroupId,
    pub(crate) state: GroupState,
    pub(crate) previous_state: GroupState,
    pub(crate) state_since_ms: Option<TimestampMs>,
    pub(crate) protocol_type: Option<ByteString>,
    pub(crate) protocol: Option<ByteString>,
    pub(crate) generation: i32,
    pub(crate) leader: Option<MemberId>,
    pub(crate) members: BTreeMap<MemberId, Member>,
    pub(crate) static_members: BTreeMap<InstanceId, MemberId>,
    /// Were given an id by MEMBER_ID_REQUIRED and have not joined with it yet.
    pub(crate) pending_join: BTreeSet<MemberId>,
    /// Have not sent SyncGroup in this generation.
    pub(crate) pending_sync: BTreeSet<MemberId>,
    /// What the members subscribe to; unknown unless all speak protocol type `consumer`.
    pub(crate) subscribed_topics: Option<BTreeSet<ByteString>>,
    /// The delay before an empty group's first rebalance, while it runs.
    pub(crate) initial_delay: Option<InitialDelay>,
}

/// The delay before an empty group's first rebalance: extended, up to the rebalance timeout, as long as
/// members keep arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InitialDelay {
    pub(crate) delay_ms: i32,
    pub(crate) remaining_ms: i32,
    pub(crate) new_member_added: bool,
}

impl ClassicGroup {
    /// A group without members.
    pub(crate) fn new(id: GroupId, state_since_ms: Option<TimestampMs>) -> Self {
        Self {
            id,
            state: GroupState::Empty,
            previous_state: GroupState::Dead,
            state_since_ms,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            initial_delay: None,
        }
    }

    /// The group that the log describes.
    pub(crate) fn from_stored(id: GroupId, stored: &StoredGroup) -> Self {
        let mut group = Self {
            state: if stored.members.is_empty() { GroupState::Empty } else { GroupState::Stable },
            protocol_type: stored.protocol_type.clone(),
            protocol: stored.protocol.clone(),
            generation: stored.generation,
            leader: stored.leader.clone(),
            ..Self::new(id, stored.state_since_ms)
        };
        let protocol = stored.protocol.clone().unwrap_or_default();
        for member in &stored.members {
            group.insert(member.to_member(&protocol));
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// What to write of the group. Every member has an assignment by then.
    pub(crate) fn to_stored(&self) -> StoredGroup {
        let protocol = self.protocol.clone().unwrap_or_default();
        StoredGroup {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            state_since_ms: self.state_since_ms,
            members: self
                .members
                .values()
                .map(|member| StoredMember::from_member(member, &protocol))
                .collect(),
        }
    }

    pub(crate) fn transition_to(&mut self, state: GroupState, cx: Cx<'_>) {
        self.previous_state = self.state;
        self.state = state;
        self.state_since_ms = Some(cx.now.wall_ms);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state == GroupState::Empty
    }

    /// Whether the group runs Kafka's consumer protocol, whose metadata we may read.
    pub(crate) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    pub(crate) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// Adds `member`, whose protocols were found compatible. The first member sets the protocol type and
    /// is the leader.
    pub(crate) fn add(&mut self, member: Member, protocol_type: &ByteString) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.clone());
        }
        self.insert(member);
    }

    fn insert(&mut self, member: Member) {
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), member.id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.pending_join.remove(&member.id);
        self.members.insert(member.id.clone(), member);
    }

    /// Removes a member or pending member, answers its parked requests with UNKNOWN_MEMBER_ID, so that a
    /// client that is alive joins again, and ends its session.
    pub(crate) fn remove(&mut self, member_id: &MemberId, out: &mut Out) {
        self.pending_join.remove(member_id);
        self.pending_sync.remove(member_id);
        out.cancel_timer(self.session_timer(member_id));
        if let Some(member) = self.members.remove(member_id) {
            let unknown = GroupError::UnknownMemberId { member_id: ByteString::new() };
            answer_parked(member.join, member.sync, &unknown, out);
            if let Some(instance_id) = &member.instance_id {
                self.static_members.remove(instance_id);
            }
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    /// Answers every parked request with `error`.
    pub(crate) fn answer_all(&mut self, error: &GroupError, out: &mut Out) {
        for member in self.members.values_mut() {
            answer_parked(member.join.take(), member.sync.take(), error, out);
        }
    }

    /// Checks that a request comes from a member of the group, and from the process that holds its
    /// instance id.
    pub(crate) fn validate_member(
        &self,
        member_id: &MemberId,
        instance_id: Option<&InstanceId>,
    ) -> Result<(), GroupError> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(unknown(member_id)),
                Some(holder) if holder != member_id => {
                    return Err(GroupError::FencedInstanceId { instance_id: instance_id.clone() });
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(unknown(member_id)) }
    }

    /// Checks that a request is of the current generation.
    pub(crate) fn validate_generation(&self, generation: i32) -> Result<(), GroupError> {
        if generation == self.generation {
            Ok(())
        } else {
            Err(GroupError::IllegalGeneration { expected: self.generation, found: generation })
        }
    }

    /// Whether a member with `protocols` of `protocol_type` can work with the others: one of them must be
    /// supported by all.
    pub(crate) fn supports_protocols(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|known| self.members.values().all(|member| member.supports(&known.name)))
    }

    /// The protocol with most votes among those that all members support.
    pub(crate) fn select_protocol(&self) -> Option<ByteString> {
        let first = self.members.values().next()?;
        let candidates: BTreeSet<&ByteString> = first
            .protocols
            .iter()
            .map(|known| &known.name)
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let mut votes = BTreeMap::<&ByteString, usize>::new();
        for vote in self.members.values().filter_map(|member| member.vote(&candidates)) {
            *votes.entry(vote).or_default() += 1;
        }
        // Kafka leaves a tie to its hash map; here the first by name wins.
        votes.into_iter().rev().max_by_key(|&(_, count)| count).map(|(name, _)| name.clone())
    }

    pub(crate) fn awaiting_join(&self) -> usize {
        self.members.values().filter(|member| member.join.is_some()).count()
    }

    pub(crate) fn has_all_members_joined(&self) -> bool {
        self.pending_join.is_empty() && self.members.values().all(|member| member.join.is_some())
    }

    /// The longest rebalance timeout of its members, milliseconds.
    pub(crate) fn rebalance_timeout_ms(&self) -> i32 {
        self.members.values().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    /// What all members subscribe to; `None` if the group does not run the consumer protocol, has not
    /// chosen one yet, or a member's metadata is not in its format.
    pub(crate) fn compute_subscribed_topics(&self) -> Option<BTreeSet<ByteString>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_ref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscription::topics(member.metadata(protocol))?);
        }
        Some(topics)
    }

    /// Whether a member subscribes to `topic`. Where that is unknown, a consumer group is taken to.
    pub(crate) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    pub(crate) fn session_timer(&self, member_id: &MemberId) -> GroupTimer {
        GroupTimer::Session { group: self.id.clone(), member: member_id.clone() }
    }

    /// Starts the member's session anew.
    pub(crate) fn renew_session(&self, member_id: &MemberId, cx: Cx<'_>, out: &mut Out) {
        if let Some(member) = self.members.get(member_id) {
            out.set_timer(self.session_timer(member_id), cx.after_ms(member.session_timeout_ms));
        }
    }
}

/// The error of a request from nobody we know.
pub(crate) fn unknown(member_id: &MemberId) -> GroupError {
    GroupError::UnknownMemberId { member_id: member_id.clone() }
}

fn answer_parked(join: Option<RequestId>, sync: Option<RequestId>, error: &GroupError, out: &mut Out) {
    for id in join.into_iter().chain(sync) {
        out.reply(id, Err(error.clone()));
    }
}

impl StoredMember {
    fn from_member(member: &Member, protocol: &str) -> Self {
        Self {
            id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(protocol),
            assignment: member.assignment.clone(),
        }
    }

    fn to_member(&self, protocol: &ByteString) -> Member {
        Member {
            id: self.id.clone(),
            instance_id: self.instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            protocols: vec![Protocol { name: protocol.clone(), metadata: self.subscription.clone() }],
            assignment: Bytes::clone(&self.assignment),
            join: None,
            sync: None,
            is_new: false,
        }
    }
}
