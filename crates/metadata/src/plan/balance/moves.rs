//! The balancer's moves become records: as AlterPartitionReassignments and ElectLeaders make them.

use ottla_types::{PartitionIndex, TopicName};

use super::{Move, MoveKind};
use crate::image::MetadataImage;
use crate::plan::{
    Decision, ElectionType, Reassignment, plan_alter_partition_reassignments, plan_elect_leaders,
};
use crate::settings::Settings;

/// Begins `moves`; the answer has those that took place. A partition that has changed since they were planned, or that
/// cannot be moved any more, stays as it is.
pub fn plan_moves(image: &MetadataImage, settings: &Settings, moves: &[Move]) -> Decision<Vec<Move>> {
    let is_current = |made: &&Move| {
        let (topic, index) = made.partition;
        let partition = image.topics.partition(topic, index);
        partition.is_some_and(|partition| partition.partition_epoch == made.epoch)
    };
    let moves: Vec<&Move> = moves.iter().filter(is_current).collect();
    let wishes: Vec<_> = moves.iter().filter_map(|made| wish(made)).collect();
    let reassigned = plan_alter_partition_reassignments(image, settings, false, &wishes);
    let refused: Vec<_> = reassigned.answer.into_iter().filter(|(.., outcome)| outcome.is_err()).collect();
    let is_refused = |made: &Move| {
        refused.iter().any(|(topic, index, _)| *topic == made.topic && *index == made.partition.1)
    };
    let begun: Vec<Move> = moves.into_iter().filter(|made| !is_refused(made)).cloned().collect();
    let mut records = reassigned.records;
    let led: Vec<_> = begun.iter().filter_map(to_elect).collect();
    // Elected on what the new order of the replicas makes of the image.
    if !led.is_empty()
        && let Ok((then, _)) = image.apply(&records)
    {
        records.extend(plan_elect_leaders(&then, settings, ElectionType::Preferred, Some(&led)).records);
    }
    Decision { records, answer: begun }
}

fn wish(made: &Move) -> Option<Reassignment> {
    let replicas = match made.kind {
        MoveKind::Replicas | MoveKind::Leader => Some(made.to.clone()),
        MoveKind::Cancel => None,
        MoveKind::Elect => return None,
    };
    Some(Reassignment { topic: made.topic.clone(), index: made.partition.1, replicas })
}

fn to_elect(made: &Move) -> Option<(TopicName, PartitionIndex)> {
    matches!(made.kind, MoveKind::Leader | MoveKind::Elect).then(|| (made.topic.clone(), made.partition.1))
}
