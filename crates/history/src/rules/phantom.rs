//! R5: what is read was sent, to this partition, and is whole; what was surely refused is nowhere.

use std::collections::BTreeMap;

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    let sent: BTreeMap<_, _> = history.sends.iter().map(|send| (send.value, send)).collect();
    let read = history.reads.iter().map(|read| (read.partition, read.offset, read.value));
    let dumped = history
        .dumps
        .iter()
        .flat_map(|dump| dump.records.iter().map(|record| (dump.partition, record.offset, record.value)));
    for (partition, offset, value) in read.chain(dumped) {
        let is_known = sent
            .get(&value)
            .is_some_and(|send| send.partition == partition && send.outcome != Outcome::Failed);
        if !is_known {
            return Some(format!("partition {partition} offset {offset}: {value:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use crate::rules::testing::*;

    #[test]
    fn a_value_that_nobody_sent() {
        let phantom = breaks(|history| {
            for dump in &mut history.dumps {
                dump.records.push(dumped(3, 2, value(7, 7)));
            }
        });
        assert_eq!(phantom, ["R5 phantom"]);
    }

    #[test]
    fn a_value_that_was_refused() {
        let refused = breaks(|history| {
            history.sends.push(send(1, 9, 50, Outcome::Failed));
            for dump in &mut history.dumps {
                dump.records.push(dumped(3, 2, value(1, 9)));
            }
        });
        assert_eq!(refused, ["R5 phantom"]);
    }
}
