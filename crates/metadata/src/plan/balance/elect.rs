//! Preferred leaders that are in sync and do not lead take over, where leaders are not even: after a broker came back.

use super::model::Model;
use super::{Move, MoveKind, is_skewed};

pub(super) fn elect_preferred(model: &mut Model<'_>, limit: usize, moves: &mut Vec<Move>) {
    for at in 0..model.partitions.len() {
        let active = model.active();
        if moves.len() >= limit || !is_skewed(&active.iter().map(|load| load.leaders).collect::<Vec<_>>()) {
            return;
        }
        let partition = &model.partitions[at];
        let (leader, preferred) = (partition.image.leader, partition.image.preferred_leader());
        let leads = |id| active.iter().find(|load| load.id == id).map(|load| load.leaders);
        let (Some(many), Some(few)) = (leads(leader), leads(preferred)) else { continue };
        let can_lead = partition.is_at_rest() && partition.image.isr.contains(&preferred);
        if leader != preferred && many > few && can_lead {
            let reason = format!(
                "broker {preferred} is the preferred leader and in sync; broker {leader} leads {many} partitions, \
                 broker {preferred} {few}"
            );
            moves.push(partition.to_move(MoveKind::Elect, reason));
            model.elect(at, preferred);
        }
    }
}
