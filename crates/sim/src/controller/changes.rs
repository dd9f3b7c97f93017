//! What a committed batch changed, for the history and the counts.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use ottla_history::{Election, Version};
use ottla_metadata::MetadataImage;
use ottla_types::{NodeId, PartitionIndex, TopicId};

use crate::cx::Cx;

pub(super) fn note_changes(cx: &mut Cx, before: &MetadataImage, after: &MetadataImage) {
    for broker in after.brokers.iter() {
        let was = before.brokers.get(broker.id).is_some_and(|former| former.is_active());
        if was && broker.fenced {
            cx.counts.add("fencings");
        }
    }
    let partitions: BTreeMap<(TopicId, PartitionIndex), _> = after
        .topics
        .iter()
        .flat_map(|topic| topic.partitions().map(move |(index, partition)| ((topic.id, index), partition)))
        .collect();
    for ((topic, index), partition) in partitions {
        let former = before.topics.partition(topic, index);
        if former == Some(partition) {
            continue;
        }
        let (isr, elr, leader) = (&partition.isr, &partition.elr, partition.leader);
        cx.note(format_args!(
            "partition {index}: leader {leader} epoch {} isr {isr:?} elr {elr:?} last {:?}",
            partition.leader_epoch, partition.last_known_elr
        ));
        cx.history.versions.push(Version { partition: index.0, state: (**partition).clone() });
        let Some(former) = former else { continue };
        match partition.isr.len().cmp(&former.isr.len()) {
            Ordering::Less => cx.counts.add("ISR shrinks"),
            Ordering::Greater => cx.counts.add("ISR expansions"),
            Ordering::Equal => {}
        }
        if leader != NodeId::NONE && partition.leader_epoch != former.leader_epoch {
            cx.counts.add("elections");
            if former.elr.contains(&leader) {
                cx.counts.add("ELR elections");
            }
            let committed = cx.history.committed(index.0);
            cx.history.elections.push(Election { partition: index.0, leader, log_end: None, committed });
        }
    }
}
