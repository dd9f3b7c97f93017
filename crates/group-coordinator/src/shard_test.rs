//! What holds for every history of a shard.

use std::collections::BTreeSet;

use ottla_coordinator::{Failure, RequestId};
use ottla_types::{Bytes, Offset, TopicId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::test_support::*;
use crate::*;

const GROUPS: [&str; 2] = ["g", "h"];
const CLIENTS: [&str; 3] = ["a", "b", "c"];

/// One step of a history. Numbers choose among what is there; most steps are those of clients that behave.
#[derive(Clone, Debug)]
enum Step {
    Join { group: usize, client: usize, known: bool, is_static: bool, two_steps: bool, protocols: u8 },
    Sync { group: usize, client: usize },
    Heartbeat { group: usize, client: usize },
    Leave { group: usize, client: usize },
    Commit { group: usize, client: usize, as_member: bool, topic: bool },
    DeleteOffset { group: usize },
    DeleteGroup { group: usize },
    TopicsDeleted,
    Advance { ms: i64 },
    CutOff { ms: i64 },
    Refuse { failure: u8 },
    Stall,
    Resume,
    Reload,
}

fn step() -> impl Strategy<Value = Step> {
    let group = || 0..GROUPS.len();
    let client = || 0..CLIENTS.len();
    prop_oneof![
        6 => (group(), client(), any::<[bool; 3]>(), 1_u8..4).prop_map(
            |(group, client, [known, is_static, two_steps], protocols)| Step::Join {
                group, client, known, is_static, two_steps, protocols
            }
        ),
        6 => (group(), client()).prop_map(|(group, client)| Step::Sync { group, client }),
        2 => (group(), client()).prop_map(|(group, client)| Step::Heartbeat { group, client }),
        2 => (group(), client()).prop_map(|(group, client)| Step::Leave { group, client }),
        2 => (group(), client(), any::<bool>(), any::<bool>())
            .prop_map(|(group, client, as_member, topic)| Step::Commit { group, client, as_member, topic }),
        1 => group().prop_map(|group| Step::DeleteOffset { group }),
        1 => group().prop_map(|group| Step::DeleteGroup { group }),
        1 => Just(Step::TopicsDeleted),
        4 => prop_oneof![Just(0), Just(100), Just(3_000), Just(10_000), Just(60_000), Just(4_000_000)]
            .prop_map(|ms| Step::Advance { ms }),
        1 => prop_oneof![Just(100), Just(60_000)].prop_map(|ms| Step::CutOff { ms }),
        1 => (0_u8..3).prop_map(|failure| Step::Refuse { failure }),
        1 => Just(Step::Stall),
        2 => Just(Step::Resume),
        1 => Just(Step::Reload),
    ]
}

/// Plays a history: clients remember the answers they got.
#[derive(Debug)]
struct Play {
    rig: Rig,
    /// What each client last learned of each group.
    known: Vec<Vec<Joined>>,
    asked: Vec<(RequestId, usize, usize)>,
    answered: BTreeSet<RequestId>,
    /// What happened at all.
    seen: BTreeSet<String>,
}

impl Play {
    fn new() -> Self {
        let config = GroupConfig {
            initial_rebalance_delay_ms: 100,
            offsets_retention_ms: 3_600_000,
            max_size: 2,
            ..GroupConfig::default()
        };
        Self {
            rig: Rig::with(config),
            known: vec![vec![Joined::default(); CLIENTS.len()]; GROUPS.len()],
            asked: Vec::new(),
            answered: BTreeSet::new(),
            seen: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Join { group, client, known, is_static, two_steps, protocols } => {
                let name = CLIENTS[client];
                let member_id = self.known[group][client].member_id.clone();
                let sent = self.rig.sent;
                let request = edit(joining(name), |join| {
                    join.group_id = GROUPS[group].into();
                    join.member_id = if known { member_id } else { MemberId::new() };
                    join.instance_id = is_static.then(|| name.into());
                    join.member_id_required = two_steps;
                    join.can_skip_assignment = two_steps;
                    join.random[..8].copy_from_slice(&sent.to_be_bytes());
                    let mut bit = 0;
                    join.protocols.retain(|_| {
                        bit += 1;
                        protocols & bit != 0
                    });
                });
                self.send(request, group, client);
            }
            Step::Sync { group, client } => {
                let joined = &self.known[group][client];
                let assignments = joined.members.iter();
                let assignments = assignments.map(|member| (member.member_id.clone(), Bytes::from("x")));
                let request = SyncGroup {
                    group_id: GROUPS[group].into(),
                    member_id: joined.member_id.clone(),
                    generation: joined.generation,
                    assignments: assignments.collect(),
                    ..SyncGroup::default()
                };
                self.send(GroupRequest::Sync(request), group, client);
            }
            Step::Heartbeat { group, client } => {
                let joined = &self.known[group][client];
                let request = Heartbeat {
                    group_id: GROUPS[group].into(),
                    member_id: joined.member_id.clone(),
                    generation: joined.generation,
                    ..Heartbeat::default()
                };
                let id = self.send(GroupRequest::Heartbeat(request), group, client);
                assert!(self.answered.contains(&id), "a heartbeat never waits");
            }
            Step::Leave { group, client } => {
                let member_id = self.known[group][client].member_id.clone();
                let member = LeavingMember { member_id, instance_id: None };
                let request = LeaveGroup { group_id: GROUPS[group].into(), members: vec![member] };
                self.send(GroupRequest::Leave(request), group, client);
            }
            Step::Commit { group, client, as_member, topic } => {
                let joined = &self.known[group][client];
                let mut request = committing(GROUPS[group], if topic { "t" } else { "u" }, 1);
                if as_member {
                    request.member_id = joined.member_id.clone();
                    request.generation = joined.generation;
                }
                self.send(GroupRequest::CommitOffsets(request), group, client);
            }
            Step::DeleteOffset { group } => {
                let topics = vec![("t".into(), vec![0.into()])];
                let request = OffsetDelete { group_id: GROUPS[group].into(), topics };
                self.send(GroupRequest::DeleteOffsets(request), group, 0);
            }
            Step::DeleteGroup { group } => {
                let request = DeleteGroups { group_ids: vec![GROUPS[group].into()] };
                self.send(GroupRequest::Delete(request), group, 0);
            }
            Step::TopicsDeleted => {
                let topic = DeletedTopic { topic: "u".into(), topic_id: TopicId::ZERO };
                self.send(GroupRequest::TopicsDeleted(vec![topic]), 0, 0);
            }
            Step::Advance { ms } => self.rig.advance(ms),
            Step::CutOff { ms } => self.rig.cut_off(ms),
            Step::Refuse { failure } => {
                self.rig.log.refuse = match failure {
                    0 => Some(Failure::NotEnoughReplicas),
                    1 => Some(Failure::RecordTooLarge { len: 1 }),
                    _ => Some(Failure::Storage),
                };
            }
            Step::Stall => {
                let end = Offset(self.rig.log.records.len() as i64);
                self.rig.log.stalled_at.get_or_insert(end);
            }
            Step::Resume => {
                self.rig.log.refuse = None;
                self.rig.commit();
            }
            Step::Reload => self.rig.reload(),
        }
        self.collect();
        self.check_replay();
        self.seen.extend(self.rig.shard().group_facts().map(|fact| fact.state.to_string()));
    }

    fn send(&mut self, request: GroupRequest, group: usize, client: usize) -> RequestId {
        let id = self.rig.send(request);
        self.asked.push((id, group, client));
        self.collect();
        id
    }

    /// Takes the answers; clients learn from them. A second answer to a request fails.
    fn collect(&mut self) {
        for (id, response) in std::mem::take(&mut self.rig.replies) {
            assert!(self.answered.insert(id), "{id:?} answered twice");
            let &(_, group, client) = self.asked.iter().find(|asked| asked.0 == id).unwrap();
            self.seen.insert(outcome(&response));
            match response {
                Ok(GroupResponse::Join(joined)) => self.known[group][client] = joined,
                Err(GroupError::MemberIdRequired { member_id }) => {
                    self.known[group][client] = Joined { member_id, ..Joined::default() };
                }
                _ => {}
            }
        }
    }

    /// A fresh shard that reads the log knows what the live one does.
    fn check_replay(&self) {
        let mut fresh = GroupShard::new(std::sync::Arc::new(self.rig.config.clone()));
        for (offset, record) in self.rig.log.records.iter().enumerate() {
            ottla_coordinator::Shard::replay(&mut fresh, Offset(offset as i64), None, record).unwrap();
        }
        assert_eq!(fresh.groups.stored(), self.rig.shard().groups.stored());
        assert_eq!(fresh.offsets, self.rig.shard().offsets);
    }
}

/// The variant, without what it carries.
fn outcome(response: &Response) -> String {
    let text = match response {
        Ok(response) => format!("{response:?}"),
        Err(error) => format!("{error:?}"),
    };
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Histories that never get anywhere would prove nothing.
#[test]
fn the_histories_below_meet_what_can_happen() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..400 {
        let steps = prop::collection::vec(step(), 1..60).new_tree(&mut runner).unwrap().current();
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        seen.append(&mut play.seen);
    }
    let expected = "Empty PreparingRebalance CompletingRebalance Stable Join Sync Heartbeat Leave CommitOffsets \
        DeleteOffsets Delete TopicsDeleted MemberIdRequired UnknownMemberId FencedInstanceId IllegalGeneration \
        RebalanceInProgress InconsistentGroupProtocol GroupMaxSizeReached GroupIdNotFound \
        NotCoordinator CoordinatorNotAvailable RecordTooLarge";
    let missing: Vec<_> = expected.split_whitespace().filter(|what| !seen.contains(*what)).collect();
    assert_eq!(missing, [""; 0], "seen: {seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever clients, time, the log and failovers do: durable state is what the log says at every step,
    /// no request is answered twice, and when the shard goes none is left without an answer.
    #[test]
    fn durable_state_is_the_logs_and_each_request_gets_one_answer(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        play.rig.reload();
        play.collect();
        let asked: BTreeSet<_> = play.asked.iter().map(|asked| asked.0).collect();
        prop_assert_eq!(&play.answered, &asked);
    }

    /// No request waits for ever: once the log takes records again and time passes, all are answered.
    #[test]
    fn every_request_is_answered_in_the_end(steps in prop::collection::vec(step(), 1..60)) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
        }
        play.step(&Step::Resume);
        play.step(&Step::Advance { ms: 4_000_000 });
        let asked: BTreeSet<_> = play.asked.iter().map(|asked| asked.0).collect();
        prop_assert_eq!(&play.answered, &asked);
    }

    /// Arbitrary bytes in the log are refused or ignored.
    #[test]
    fn no_record_brings_the_shard_down(
        record_type in 0_u8..18,
        key in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::option::of(prop::collection::vec(any::<u8>(), 0..80)),
    ) {
        let key = [&[0, record_type], key.as_slice()].concat();
        let record =
            ottla_coordinator::KeyValueRecord { key: key.into(), value: value.map(Bytes::from) };
        let mut shard = GroupShard::new(std::sync::Arc::default());
        let _ = ottla_coordinator::Shard::replay(&mut shard, Offset(0), None, &record);
    }

    /// Arbitrary member metadata is taken as it is.
    #[test]
    fn no_metadata_brings_the_shard_down(metadata in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = crate::subscription::topics(metadata.into());
    }
}
