//! R10: of what is deduplicated, what was sent earlier lies earlier, and nothing is missing in between.

use std::collections::BTreeMap;

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    if let Some(send) = history.sends.iter().find(|send| send.out_of_order) {
        return Some(format!("a leader lacked what was acknowledged before {:?}", send.value));
    }
    let mut offsets: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for dump in history.final_logs() {
        for record in &dump.records {
            offsets.entry((dump.partition, record.value)).or_default().push(record.offset);
        }
    }
    // Of each producer and partition: the last value that is there, and one that is missing.
    let mut last = BTreeMap::new();
    let mut missing = BTreeMap::new();
    for send in history.sends.iter().filter(|send| send.idempotent) {
        let of = (send.partition, send.value.0);
        let Some(at) = offsets.get(&(send.partition, send.value)) else {
            if send.outcome != Outcome::Failed {
                missing.insert(of, send.value);
            }
            continue;
        };
        if let Some(gap) = missing.get(&of) {
            return Some(format!("{:?} is there, {gap:?} before it is not", send.value));
        }
        for &offset in at {
            if let Some((former, lies)) = last.insert(of, (send.value, offset))
                && lies >= offset
            {
                return Some(format!("{former:?} at {lies}, {:?} at {offset}", send.value));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use crate::rules::testing::*;

    #[test]
    fn a_gap_in_what_is_deduplicated() {
        let gap = breaks(|history| {
            // Sent before the second value of producer 0, and never seen.
            history.sends.insert(1, send(0, 5, 5, Outcome::Unknown));
            history.sends.iter_mut().for_each(|send| send.idempotent = true);
        });
        assert_eq!(gap, ["R10 send-order"]);
    }

    #[test]
    fn a_later_value_that_lies_before() {
        let early = breaks(|history| {
            history.sends.swap(0, 2);
            history.sends.iter_mut().for_each(|send| {
                // All at once, so that no order follows from the time.
                (send.idempotent, send.invoked) = (true, std::time::Duration::ZERO);
            });
        });
        assert_eq!(early, ["R10 send-order"]);
    }

    #[test]
    fn a_leader_that_lacks_what_was_acknowledged() {
        assert_eq!(breaks(|history| history.sends[0].out_of_order = true), ["R10 send-order"]);
    }
}
