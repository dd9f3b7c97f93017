//! A shard on a log in memory, with virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_coordinator::{
    Appended, Failure, HostedShard, KeyValueRecord, Monotonic, Now, RequestId, ShardLog,
};
use ottla_types::{
    ByteString, Bytes, LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, TopicPartition,
};

use crate::*;

pub(crate) type Response = Result<GroupResponse, GroupError>;

/// Where the virtual wall clock starts.
pub(crate) const START_MS: i64 = 1_000_000;
pub(crate) const SESSION_MS: i32 = 10_000;
pub(crate) const REBALANCE_MS: i32 = 60_000;

/// A log of one replica that is always committed, or refuses appends.
#[derive(Debug, Default)]
pub(crate) struct MemLog {
    pub(crate) records: Vec<KeyValueRecord>,
    pub(crate) refuse: Option<Failure>,
    /// Keeps the high watermark where it is.
    pub(crate) stalled_at: Option<Offset>,
}

impl ShardLog for MemLog {
    fn append(&mut self, _: Now, records: &[KeyValueRecord]) -> Result<Appended, Failure> {
        if let Some(failure) = &self.refuse {
            return Err(failure.clone());
        }
        let base_offset = self.log_end_offset();
        self.records.extend_from_slice(records);
        Ok(Appended { base_offset })
    }
    fn log_end_offset(&self) -> Offset {
        Offset(self.records.len() as i64)
    }
    fn high_watermark(&self) -> Offset {
        self.stalled_at.unwrap_or_else(|| self.log_end_offset())
    }
}

/// A hosted shard and what it answered.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) hosted: HostedShard<GroupShard>,
    pub(crate) log: MemLog,
    pub(crate) now: Now,
    pub(crate) config: GroupConfig,
    pub(crate) replies: BTreeMap<RequestId, Response>,
    pub(crate) sent: u64,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(GroupConfig::default())
    }

    pub(crate) fn with(config: GroupConfig) -> Self {
        let mut rig = Self {
            hosted: host(&config),
            log: MemLog::default(),
            now: Now { monotonic: Monotonic(0), wall_ms: START_MS },
            config,
            replies: BTreeMap::new(),
            sent: 0,
        };
        rig.reload();
        rig
    }

    /// A shard without the delay of the first rebalance.
    pub(crate) fn prompt() -> Self {
        Self::with(GroupConfig { initial_rebalance_delay_ms: 0, ..GroupConfig::default() })
    }

    /// Sends `request`; it may be parked.
    pub(crate) fn send(&mut self, request: GroupRequest) -> RequestId {
        self.sent += 1;
        let id = RequestId(self.sent);
        let replies = self.hosted.handle(self.now, &mut self.log, id, request).unwrap();
        self.collect(replies);
        id
    }

    /// Sends `request` and takes its answer, which must not wait.
    pub(crate) fn ask(&mut self, request: GroupRequest) -> Response {
        let id = self.send(request);
        self.answer(id).expect("answered at once")
    }

    /// Takes the answer to request `id` if there is one.
    pub(crate) fn answer(&mut self, id: RequestId) -> Option<Response> {
        self.replies.remove(&id)
    }

    /// Lets time pass, firing timers as they fall due.
    pub(crate) fn advance(&mut self, ms: i64) {
        let end = self.now.monotonic + Duration::from_millis(ms as u64);
        let (start, start_ms) = (self.now.monotonic, self.now.wall_ms);
        while let Some(deadline) = self.hosted.next_deadline().filter(|&deadline| deadline <= end) {
            self.now.monotonic = deadline.max(self.now.monotonic);
            self.now.wall_ms = start_ms + self.now.monotonic.since(start).as_millis() as i64;
            let replies = self.hosted.fire(self.now, &mut self.log).unwrap();
            self.collect(replies);
        }
        self.now = Now { monotonic: end, wall_ms: start_ms + ms };
    }

    /// Lets time pass in which no request reaches the shard.
    pub(crate) fn cut_off(&mut self, ms: i64) {
        self.now.monotonic = self.now.monotonic + Duration::from_millis(ms as u64);
        self.now.wall_ms += ms;
        let replies = self.hosted.resume(self.now, &mut self.log).unwrap();
        self.collect(replies);
        self.advance(0);
    }

    /// Lets the high watermark catch up.
    pub(crate) fn commit(&mut self) {
        self.log.stalled_at = None;
        let replies = self.hosted.release(self.log.high_watermark());
        self.collect(replies);
    }

    /// Moves the shard to a broker that knows only the log; the waiting requests are answered.
    pub(crate) fn reload(&mut self) {
        let old = std::mem::replace(&mut self.hosted, host(&self.config));
        self.collect(old.unload());
        for (offset, record) in self.log.records.iter().enumerate() {
            self.hosted.load(Offset(offset as i64), None, record).unwrap();
        }
        let replies = self.hosted.loaded(self.now, &mut self.log).unwrap();
        self.collect(replies);
    }

    pub(crate) fn shard(&self) -> &GroupShard {
        self.hosted.shard()
    }

    pub(crate) fn state(&mut self, group: &str) -> GroupState {
        self.describe(group).map_or(GroupState::Dead, |group| group.state)
    }

    pub(crate) fn describe(&mut self, group: &str) -> Result<DescribedGroup, GroupError> {
        let request = DescribeGroups { group_ids: vec![group.into()] };
        match self.ask(GroupRequest::Describe(request)) {
            Ok(GroupResponse::Describe(mut groups)) => groups.remove(0).1,
            other => panic!("{other:?}"),
        }
    }

    /// Joins without an id as an old client does, which needs no second step; parked.
    pub(crate) fn join(&mut self, client: &str) -> RequestId {
        self.send(joining(client))
    }

    /// Joins again under `member_id`.
    pub(crate) fn rejoin(&mut self, member_id: &MemberId, client: &str) -> RequestId {
        self.send(edit(joining(client), |join| join.member_id = member_id.clone()))
    }

    /// The generation that request `id` was answered with.
    pub(crate) fn joined(&mut self, id: RequestId) -> Joined {
        match self.answer(id) {
            Some(Ok(GroupResponse::Join(joined))) => joined,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn sync(&mut self, joined: &Joined, assignments: &[(&MemberId, &str)]) -> RequestId {
        let assignments =
            assignments.iter().map(|(id, text)| ((*id).clone(), Bytes::copy_from_slice(text.as_bytes())));
        self.send(GroupRequest::Sync(SyncGroup {
            group_id: "g".into(),
            member_id: joined.member_id.clone(),
            generation: joined.generation,
            assignments: assignments.collect(),
            ..SyncGroup::default()
        }))
    }

    pub(crate) fn heartbeat(&mut self, joined: &Joined) -> Result<(), GroupError> {
        self.ask(GroupRequest::Heartbeat(Heartbeat {
            group_id: "g".into(),
            member_id: joined.member_id.clone(),
            generation: joined.generation,
            ..Heartbeat::default()
        }))
        .map(|_| ())
    }

    pub(crate) fn leave(&mut self, member_id: &str, instance_id: Option<&str>) -> Result<(), GroupError> {
        let member =
            LeavingMember { member_id: member_id.into(), instance_id: instance_id.map(ByteString::from) };
        let request = LeaveGroup { group_id: "g".into(), members: vec![member] };
        match self.ask(GroupRequest::Leave(request)) {
            Ok(GroupResponse::Leave(mut left)) => left.remove(0).result,
            Err(error) => Err(error),
            other => panic!("{other:?}"),
        }
    }

    /// A stable group `g` of dynamic members, the leader first; each is assigned its client's name.
    pub(crate) fn stable(&mut self, clients: &[&str]) -> Vec<Joined> {
        let ids: Vec<_> = clients.iter().map(|client| self.join(client)).collect();
        self.advance(i64::from(self.config.initial_rebalance_delay_ms) * 3);
        let mut members: Vec<_> = ids.into_iter().map(|id| self.joined(id)).collect();
        self.assign(&members, clients);
        let leader = members.iter().position(|joined| joined.leader == joined.member_id).unwrap();
        members.swap(0, leader);
        members
    }

    /// Sends everyone's SyncGroup, the leader's last.
    pub(crate) fn assign(&mut self, members: &[Joined], clients: &[&str]) {
        let assignments: Vec<_> =
            members.iter().zip(clients).map(|(joined, client)| (&joined.member_id, *client)).collect();
        let (leaders, followers): (Vec<_>, Vec<_>) =
            members.iter().partition(|joined| joined.leader == joined.member_id);
        for joined in followers.into_iter().chain(leaders) {
            self.sync(joined, &assignments);
        }
        self.replies.retain(|_, reply| !matches!(reply, Ok(GroupResponse::Sync(_))));
    }

    pub(crate) fn commit_offset(&mut self, group: &str, topic: &str, offset: i64) {
        let request = committing(group, topic, offset);
        match self.ask(GroupRequest::CommitOffsets(request)) {
            Ok(GroupResponse::CommitOffsets(topics)) => {
                assert!(topics.iter().all(|topic| topic.partitions.iter().all(|(_, result)| result.is_ok())));
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn offset(&self, group: &str, topic: &str) -> Option<i64> {
        let committed = self.shard().offsets.get(group, topic, PartitionIndex(0));
        committed.map(|committed| committed.offset.get())
    }

    fn collect(&mut self, replies: Vec<(RequestId, Response)>) {
        for (id, response) in replies {
            assert!(self.replies.insert(id, response).is_none(), "{id:?} answered twice");
        }
    }
}

fn host(config: &GroupConfig) -> HostedShard<GroupShard> {
    HostedShard::new(GroupShard::new(Arc::new(config.clone())), Duration::from_secs(5))
}

/// The metadata of a consumer that subscribes to `topics`: version 0 and some bytes of a later one.
pub(crate) fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = vec![0, 1];
    bytes.extend((topics.len() as i32).to_be_bytes());
    for topic in topics {
        bytes.extend((topic.len() as i16).to_be_bytes());
        bytes.extend(topic.as_bytes());
    }
    bytes.extend((-1_i32).to_be_bytes());
    bytes.extend([0, 0, 0, 0]);
    bytes.into()
}

/// A consumer of topic `t` that joins `g`, as an old client does: without the two steps.
pub(crate) fn joining(client: &str) -> GroupRequest {
    let protocol = |name: &str| Protocol { name: name.into(), metadata: subscription(&["t"]) };
    let mut random = [0; 16];
    for (to, from) in random.iter_mut().rev().zip(client.bytes().rev()) {
        *to = from;
    }
    GroupRequest::Join(Box::new(JoinGroup {
        group_id: "g".into(),
        client_id: client.into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range"), protocol("roundrobin")],
        random,
        ..JoinGroup::default()
    }))
}

/// A static member that joins `g`; `random` tells its incarnations apart.
pub(crate) fn joining_static(instance: &str, random: u8) -> GroupRequest {
    edit(joining("c"), |join| {
        join.instance_id = Some(instance.into());
        join.random = [random; 16];
        join.can_skip_assignment = true;
    })
}

pub(crate) fn edit(request: GroupRequest, change: impl FnOnce(&mut JoinGroup)) -> GroupRequest {
    let GroupRequest::Join(mut join) = request else { panic!("{request:?}") };
    change(&mut join);
    GroupRequest::Join(join)
}

pub(crate) fn committing(group: &str, topic: &str, offset: i64) -> OffsetCommit {
    OffsetCommit {
        group_id: group.into(),
        generation: -1,
        topics: vec![CommitTopic {
            topic: topic.into(),
            topic_id: TopicId::ZERO,
            partitions: vec![CommitPartition {
                partition: PartitionIndex(0),
                offset: Offset(offset),
                leader_epoch: LeaderEpoch::NONE,
                metadata: None,
            }],
        }],
        ..OffsetCommit::default()
    }
}

pub(crate) fn fetching(group: &str, topic: &str) -> OffsetFetch {
    let topic = FetchTopic {
        topic: TopicName::from(topic),
        topic_id: TopicId::ZERO,
        partitions: vec![PartitionIndex(0)],
    };
    OffsetFetch { group_id: group.into(), topics: Some(vec![topic]), require_stable: false }
}

pub(crate) fn partition(topic: &str) -> TopicPartition {
    TopicPartition::new(topic, PartitionIndex(0))
}

pub(crate) fn unknown_member(id: &str) -> GroupError {
    GroupError::UnknownMemberId { member_id: id.into() }
}
