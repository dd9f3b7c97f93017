//! R18: one broker, and one life of it, leads in a leader epoch; along a log offsets follow each other and epochs do not fall.

use std::collections::BTreeMap;

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let mut leaders = BTreeMap::new();
    let appended = history.appends.iter().map(|append| (append.partition, append.epoch, append.leader));
    let led = history.watermarks.iter().map(|mark| (mark.partition, mark.epoch, mark.leader));
    for (partition, epoch, leader) in appended.chain(led) {
        let first = *leaders.entry((partition, epoch)).or_insert(leader);
        if first != leader {
            return Some(format!("partition {partition} epoch {epoch}: led by {first:?} and {leader:?}"));
        }
    }
    for dump in &history.dumps {
        for pair in dump.records.windows(2) {
            let [before, after] = pair else { continue };
            if after.offset != before.offset.next() || after.epoch < before.epoch {
                let (partition, replica) = (dump.partition, dump.replica);
                return Some(format!("partition {partition} replica {replica}: {before:?}, then {after:?}"));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use ottla_types::{LeaderEpoch, NodeId};

    use crate::Append;
    use crate::rules::testing::*;

    #[test]
    fn two_lives_append_in_one_epoch() {
        let two = breaks(|history| {
            let again = Append { leader: (NodeId(1), 2), ..history.appends[0].clone() };
            history.appends.push(again);
        });
        assert_eq!(two, ["R18 lineage"]);
    }

    #[test]
    fn an_epoch_that_falls() {
        let falls = breaks(|history| {
            for dump in &mut history.dumps {
                dump.records[0].epoch = LeaderEpoch(7);
            }
        });
        assert_eq!(falls, ["R18 lineage"]);
    }
}
