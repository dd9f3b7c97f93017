//! Where requests become decisions, one batch at a time (in place of `crates/controller/src/desk.rs` and its handlers).

use std::collections::BTreeMap;

use ottla_env::Rng;
use ottla_metadata::image::{ConfigResource, ELR_VERSION};
use ottla_metadata::plan::{
    AlterPartition, ConfigOp, ElectionType, FeatureUpdate, Heartbeat, IncrementalChange, Move, NewTopic,
    Reassignment, Registration, UpdateType, plan_alter_partition, plan_alter_partition_reassignments,
    plan_bootstrap, plan_create_topics, plan_elect_leaders, plan_fence_broker, plan_heartbeat,
    plan_incremental_alter_configs, plan_moves, plan_register_broker, plan_update_features,
};
use ottla_metadata::{MetadataImage, MetadataRecord, Settings, encode_batch};
use ottla_types::{BrokerEpoch, NodeId, TopicName};

use super::{Controller, Controllers};
use crate::broker::{CLUSTER, MIN_INSYNC_REPLICAS};
use crate::cx::Cx;
use crate::layout;
use crate::message::{Address, Response};

/// What a controller is asked to decide, by others or by itself.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Register(Box<Registration>),
    Heartbeat(Heartbeat),
    AlterPartition {
        broker: NodeId,
        epoch: BrokerEpoch,
        wish: AlterPartition,
    },
    Fence(NodeId, BrokerEpoch),
    ElectPreferred,
    /// What the balancer is about to move, then what it has begun to move.
    Balance(Vec<Move>),
    Reassign(Reassignment),
    /// This broker is to be empty, and no other.
    Drain(Option<i32>),
    TakeOffice,
    /// ELR and balancer on, if they are to be, and the topics, once all brokers are there.
    SetUp,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) caller: Option<(Address, u64)>,
    pub(super) kind: Kind,
}

/// A job with its answer, if anybody asked.
type Decided = (Job, Option<Response>);

/// Jobs that wait, and those of the one proposal that is under way, with their answers.
#[derive(Debug, Default)]
pub(super) struct Desk {
    waiting: Vec<Job>,
    in_flight: Option<(u64, Vec<Decided>)>,
}

impl Desk {
    pub(super) fn into_jobs(self) -> impl Iterator<Item = Job> {
        let in_flight = self.in_flight.into_iter().flat_map(|(_, jobs)| jobs).map(|(job, _)| job);
        in_flight.chain(self.waiting)
    }
}

impl Controllers {
    pub(super) fn decide(&mut self, cx: &mut Cx, id: i32, job: Job) {
        let Some(member) = self.member(id) else { return };
        member.desk.waiting.push(job);
        self.work(cx, id);
    }

    /// Decides all that waits, unless a proposal is under way.
    fn work(&mut self, cx: &mut Cx, id: i32) {
        let Self { quorum, members, settings } = self;
        let Some(member) = members.get_mut(id as usize - 1) else { return };
        let Some(term) = member.active.filter(|_| member.desk.in_flight.is_none()) else { return };
        if member.desk.waiting.is_empty() {
            return;
        }
        let mut image = member.image.clone();
        let (base, mut records) = (image.offset.next(), Vec::new());
        take_in(&mut image, &mut records, plan_bootstrap(&member.image, settings).records);
        let mut decided = Vec::new();
        for mut job in std::mem::take(&mut member.desk.waiting) {
            let (more, answer) = member.plan(cx, &image, settings, &quorum.wanted(), &mut job.kind);
            take_in(&mut image, &mut records, more);
            decided.push((job, answer));
        }
        if records.is_empty() {
            return self.answer(cx, id, decided);
        }
        match encode_batch(&member.image.features, base, &records) {
            Ok(payload) => {
                let proposal = quorum.propose(cx, id, term, base, payload);
                if let Some(member) = self.member(id) {
                    member.desk.in_flight = Some((proposal, decided));
                }
            }
            Err(error) => cx.history.unmet.push(format!("a batch cannot be written: {error}")),
        }
    }

    /// Its proposal was committed, and is applied.
    pub(super) fn committed(&mut self, cx: &mut Cx, id: i32, proposal: u64) {
        let Some(member) = self.member(id) else { return };
        if member.desk.in_flight.as_ref().is_some_and(|(known, _)| *known == proposal)
            && let Some((_, decided)) = member.desk.in_flight.take()
        {
            self.answer(cx, id, decided);
        }
        self.work(cx, id);
    }

    fn answer(&mut self, cx: &mut Cx, id: i32, decided: Vec<Decided>) {
        for (job, answer) in decided {
            if let Kind::Balance(moves) = job.kind {
                self.moves_begun(cx, id, moves);
            } else if let (Some(caller), Some(answer)) = (job.caller, answer) {
                cx.answer(Address::Controller(id), caller, answer);
            }
        }
    }

    /// Heartbeats that change nothing are answered at once, from the committed image.
    pub(super) fn answer_heartbeat(&mut self, cx: &Cx, id: i32, kind: &Kind) -> Option<Response> {
        let Kind::Heartbeat(heartbeat) = kind else { return None };
        let settings = self.settings.clone();
        let member = self.member(id)?;
        member.image.brokers.get(heartbeat.broker).filter(|broker| broker.epoch == heartbeat.epoch)?;
        let (broker, now) = (heartbeat.broker, cx.monotonic(id));
        member.sessions.touch(broker, heartbeat.metadata_offset, now);
        member.sessions.has_lost(broker, member.losses.last_of(broker), now);
        let progress = member.sessions.facts(&member.image, heartbeat.broker);
        let decision = plan_heartbeat(&member.image, &settings, heartbeat, progress);
        decision.records.is_empty().then_some(Response::Heartbeat(decision.answer))
    }
}

impl Controller {
    fn plan(
        &mut self,
        cx: &mut Cx,
        image: &MetadataImage,
        settings: &Settings,
        wanted: &Wanted,
        kind: &mut Kind,
    ) -> (Vec<MetadataRecord>, Option<Response>) {
        match kind {
            Kind::Register(registration) => {
                let (broker, now) = (registration.broker, cx.monotonic(self.id));
                let is_live = self.sessions.is_live(broker, now);
                let decision = plan_register_broker(image, settings, CLUSTER, registration, is_live);
                if decision.answer.is_ok() {
                    self.sessions.begin(broker, now);
                }
                let answer = decision.answer.map_err(|error| error.to_string());
                (decision.records, Some(Response::Registered(answer)))
            }
            Kind::Heartbeat(heartbeat) => {
                let progress = self.sessions.facts(image, heartbeat.broker);
                let decision = plan_heartbeat(image, settings, heartbeat, progress);
                (decision.records, Some(Response::Heartbeat(decision.answer)))
            }
            Kind::AlterPartition { broker, epoch, wish } => {
                let decision =
                    plan_alter_partition(image, settings, *broker, *epoch, std::slice::from_ref(wish));
                let answer =
                    decision.answer.map(|mut outcomes| outcomes.pop().map(|(_, _, outcome)| outcome));
                let answer = match answer {
                    Ok(outcome) => outcome.map(|outcome| Ok(Box::new(outcome))),
                    Err(stale) => Some(Err(stale)),
                };
                (decision.records, answer.map(Response::AlterPartition))
            }
            Kind::Fence(broker, epoch) => {
                let records = plan_fence_broker(image, settings, *broker, *epoch).records;
                let until = image.offset + records.len() as i64;
                self.sessions.fenced(*broker, until);
                (records, None)
            }
            Kind::ElectPreferred => {
                (plan_elect_leaders(image, settings, ElectionType::Preferred, None).records, None)
            }
            Kind::Balance(moves) => {
                let decision = plan_moves(image, settings, moves);
                *moves = decision.answer;
                (decision.records, None)
            }
            Kind::Reassign(wish) => {
                let wishes = std::slice::from_ref(wish);
                (plan_alter_partition_reassignments(image, settings, false, wishes).records, None)
            }
            Kind::Drain(broker) => {
                let ids = broker.map(|id| id.to_string()).unwrap_or_default();
                (set_balancer(image, settings, &[("drained.brokers", &ids)]), None)
            }
            Kind::TakeOffice => (Vec::new(), None),
            Kind::SetUp => (set_up(cx, image, settings, wanted), None),
        }
    }
}

/// What the cluster is to have.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) partitions: Vec<Vec<i32>>,
    pub(super) elr: bool,
    pub(super) balance: bool,
}

fn set_up(cx: &mut Cx, image: &MetadataImage, settings: &Settings, wanted: &Wanted) -> Vec<MetadataRecord> {
    let mut records = Vec::new();
    let mut image = image.clone();
    if wanted.elr != image.features.elr_enabled() {
        let update_type = if wanted.elr { UpdateType::Upgrade } else { UpdateType::SafeDowngrade };
        let level = i16::from(wanted.elr);
        let update = FeatureUpdate { name: ELR_VERSION.into(), level, update_type: Some(update_type) };
        let decision = plan_update_features(&image, settings, NodeId(1), &[], &[update], false);
        take_in(&mut image, &mut records, decision.records);
    }
    let more = set_balancer(&image, settings, if wanted.balance { &BALANCER_ON } else { &BALANCER_OFF });
    take_in(&mut image, &mut records, more);
    if image.topics.is_empty() {
        let mut topics: BTreeMap<TopicName, Vec<_>> = BTreeMap::new();
        for (number, replicas) in (0..).zip(&wanted.partitions) {
            let (topic, index) = layout::named(number);
            let replicas = replicas.iter().copied().map(NodeId).collect();
            topics.entry(topic).or_default().push((index, replicas));
        }
        let min_isr = MIN_INSYNC_REPLICAS.to_string();
        let topics = topics.into_iter().map(|(name, assignments)| NewTopic {
            name,
            partitions: -1,
            replication_factor: -1,
            assignments,
            configs: vec![("min.insync.replicas".into(), Some(min_isr.clone().into()))],
        });
        let mut draw = || cx.rng.next_u64();
        let decision = plan_create_topics(&image, settings, &topics.collect::<Vec<_>>(), false, &mut draw);
        take_in(&mut image, &mut records, decision.records);
    }
    records
}

/// It looks often, moves little at a time, and soon takes a broker for lost, so that much of it happens in a run.
const BALANCER_ON: [(&str, &str); 4] =
    [("enable", "true"), ("interval.ms", "300"), ("max.moves", "2"), ("lost.broker.ms", "1500")];
const BALANCER_OFF: [(&str, &str); 1] = [("enable", "false")];

/// Settings of the balancer for all brokers, by the ends of their names.
fn set_balancer(image: &MetadataImage, settings: &Settings, values: &[(&str, &str)]) -> Vec<MetadataRecord> {
    let op = |&(key, value): &(&str, &str)| {
        (format!("ottla.balancer.{key}").into(), ConfigOp::Set(Some(value.to_owned().into())))
    };
    let ops = values.iter().map(op).collect();
    let change = IncrementalChange { resource: ConfigResource::default_broker(), ops };
    plan_incremental_alter_configs(image, settings, &[change]).records
}

fn take_in(image: &mut MetadataImage, records: &mut Vec<MetadataRecord>, more: Vec<MetadataRecord>) {
    if let Ok((next, _)) = image.apply(&more) {
        *image = next;
        records.extend(more);
    }
}
