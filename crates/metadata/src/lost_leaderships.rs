//! Which record took a leadership away from each broker last.
//!
//! ```text
//!  metadata    … │ 41: partition 0, leader 1 → 2 │ 42 … 57 │ 58: partition 3, leader 1 → 3 │ …
//!  broker 1      has applied up to 50: it believes to lead partition 3          lost last: 58
//! ```
//! Every controller counts along as it applies the metadata, so that whoever becomes active knows. It is no part of the image: a
//! snapshot does not tell it.

use std::collections::BTreeMap;

use ottla_types::{NodeId, Offset};

use crate::delta::MetadataDelta;
use crate::image::MetadataImage;

/// See the module.
#[derive(Clone, Debug)]
pub struct LostLeaderships {
    by_broker: BTreeMap<NodeId, Offset>,
    /// What was lost up to here is not known: it may be anybody's.
    known_from: Offset,
}

impl Default for LostLeaderships {
    fn default() -> Self {
        Self::after(Offset::NONE)
    }
}

impl LostLeaderships {
    /// Of the metadata up to `offset` only the outcome is known: every broker may have lost something with its last record.
    pub const fn after(offset: Offset) -> Self {
        Self { by_broker: BTreeMap::new(), known_from: offset }
    }

    /// `delta` leads from `before` to `after`. A partition that is gone is no loss: nobody else leads it.
    pub fn note(&mut self, before: &MetadataImage, after: &MetadataImage, delta: &MetadataDelta) {
        for (&topic, indexes) in &delta.topics.changed {
            for &index in indexes {
                let Some(former) = before.topics.partition(topic, index) else { continue };
                let now = after.topics.partition(topic, index);
                if former.has_leader() && now.is_some_and(|now| now.leader != former.leader) {
                    self.by_broker.insert(former.leader, after.offset);
                }
            }
        }
    }

    /// Who has applied the metadata up to here knows of all that `broker` has lost; [`Offset::NONE`] if that is nothing.
    pub fn last_of(&self, broker: NodeId) -> Offset {
        self.by_broker.get(&broker).copied().unwrap_or(Offset::NONE).max(self.known_from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_protocol::records::metadata::PartitionChangeRecord;
    use ottla_types::TopicId;

    use crate::plan::{ElectionType, plan_elect_leaders};
    use crate::testing::Cluster;

    /// What `change` takes from brokers 1 to 3.
    fn lost(cluster: &mut Cluster, change: impl FnOnce(&mut Cluster)) -> [bool; 3] {
        let before = cluster.image.clone();
        change(cluster);
        let delta = MetadataDelta::between(&before, &cluster.image);
        let mut losses = LostLeaderships::default();
        losses.note(&before, &cluster.image, &delta);
        [1, 2, 3].map(|id| match losses.last_of(NodeId(id)) {
            Offset::NONE => false,
            at => {
                assert_eq!(at, cluster.image.offset);
                true
            }
        })
    }

    fn join_isr(cluster: &mut Cluster, topic_id: TopicId, isr: &[i32]) {
        let isr = Some(isr.to_vec());
        cluster
            .apply(&[PartitionChangeRecord { partition_id: 0, topic_id, isr, ..Default::default() }.into()]);
    }

    #[test]
    fn who_led_and_does_not_any_more_has_lost() {
        let mut cluster = Cluster::new(3);
        let topic = cluster.topic("t", &[1, 2, 3]);
        assert_eq!(lost(&mut cluster, |cluster| cluster.fence(3)), [false; 3], "a follower loses nothing");
        assert_eq!(lost(&mut cluster, |cluster| cluster.fence(1)), [true, false, false]);
        assert_eq!(cluster.state(topic).0, 2);
        let back = |cluster: &mut Cluster| {
            cluster.start(1);
            join_isr(cluster, topic, &[1, 2]);
        };
        assert_eq!(lost(&mut cluster, back), [false; 3]);
        let prefer = |cluster: &mut Cluster| {
            cluster.take(plan_elect_leaders(
                &cluster.image,
                &cluster.settings,
                ElectionType::Preferred,
                None,
            ));
        };
        assert_eq!(lost(&mut cluster, prefer), [false, true, false], "another one was preferred");
        assert_eq!(cluster.state(topic).0, 1);
    }

    #[test]
    fn what_a_snapshot_does_not_tell_may_be_anybodys() {
        let losses = LostLeaderships::after(Offset(40));
        assert_eq!(losses.last_of(NodeId(7)), Offset(40));
    }
}
