//! The balancer's task (in place of the one in `crates/controller/src/balancer.rs`), and what people ask for meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use ottla_metadata::plan::{BalanceInput, Move, Reassignment, plan_balance};
use ottla_types::NodeId;

use super::Controllers;
use super::desk::{Job, Kind};
use crate::cx::Cx;
use crate::layout;

impl Controllers {
    /// Looks whether something is to be moved, and begins it. Within which time to look again, if the balancer runs.
    pub(super) fn balance_if_due(&mut self, cx: &mut Cx, id: i32) -> Option<Duration> {
        let now = cx.monotonic(id);
        let (settings, member) = (self.settings.clone(), self.member(id)?);
        let settings = &settings.balancer(&member.image);
        if member.balancer.is_due(&member.image, settings, now) {
            let (lost, ours) = (&member.balancer.lost(settings, now), &member.balancer.ours());
            let limit = settings.max_moves.saturating_sub(ours.len());
            let placed = &BTreeSet::new(); // so that it has more to do
            let input = BalanceInput { image: &member.image, settings, lost, ours, placed, may_elect: true };
            match plan_balance(&input, limit).moves {
                moves if moves.is_empty() => member.balancer.begun(moves),
                moves => self.decide(cx, id, Job { caller: None, kind: Kind::Balance(moves) }),
            }
        }
        settings.enabled.then_some(settings.interval)
    }

    /// These moves of the balancer were begun.
    pub(super) fn moves_begun(&mut self, cx: &mut Cx, id: i32, moves: Vec<Move>) {
        for made in &moves {
            cx.counts.add("balancer moves");
            cx.note(format_args!(
                "balancer: {:?} of {} to {:?}: {}",
                made.kind, made.topic, made.to, made.reason
            ));
        }
        if let Some(member) = self.member(id) {
            member.balancer.begun(moves);
        }
    }

    /// Moves that the balancer would still make.
    pub(crate) fn moves_to_come(&self) -> Vec<String> {
        let image = &self.quorum.image;
        let settings = &self.settings.balancer(image);
        let (lost, ours, placed) = (&BTreeSet::new(), &BTreeSet::new(), &BTreeSet::new());
        let input = BalanceInput { image, settings, lost, ours, placed, may_elect: true };
        let plan = plan_balance(&input, usize::from(settings.enabled));
        plan.moves.into_iter().map(|made| format!("the balancer is not done: {}", made.reason)).collect()
    }

    /// Somebody has the active controller put the partition on other brokers, or give up putting it there.
    pub(crate) fn reassign(&mut self, cx: &mut Cx, partition: i32, replicas: Option<Vec<i32>>) {
        let (topic, index) = layout::named(partition);
        let replicas = replicas.map(|ids| ids.into_iter().map(NodeId).collect());
        cx.note(format_args!("partition {partition} is to be on {replicas:?}"));
        self.ask_active(cx, Kind::Reassign(Reassignment { topic, index, replicas }));
    }

    /// Somebody has a broker emptied, and no other.
    pub(crate) fn drain(&mut self, cx: &mut Cx, broker: Option<i32>) {
        cx.note(format_args!("broker {broker:?} is to be empty"));
        self.ask_active(cx, Kind::Drain(broker));
    }

    fn ask_active(&mut self, cx: &mut Cx, kind: Kind) {
        if let Some(leader) = self.quorum.leader() {
            self.decide(cx, leader, Job { caller: None, kind });
        }
    }
}
