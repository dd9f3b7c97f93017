//! R1: nobody ever sees two values at one offset: acknowledgement, read, or any replica's log at the end.

use std::collections::BTreeMap;

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    let acknowledged = history.sends.iter().filter(|send| send.all).filter_map(|send| match send.outcome {
        Outcome::Ok(offset) => Some((send.partition, offset, send.value)),
        _ => None,
    });
    let read = history.reads.iter().map(|read| (read.partition, read.offset, read.value));
    let dumped = history
        .dumps
        .iter()
        .flat_map(|dump| dump.records.iter().map(|record| (dump.partition, record.offset, record.value)));
    let mut seen = BTreeMap::new();
    for (partition, offset, value) in acknowledged.chain(read).chain(dumped) {
        let first = *seen.entry((partition, offset)).or_insert(value);
        if first != value {
            return Some(format!("partition {partition} offset {offset}: {first:?} and {value:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use crate::rules::testing::*;

    #[test]
    fn two_values_at_an_offset() {
        // A replica that is behind the rules that compare replicas: a read of what was there before.
        let two = breaks(|history| {
            history.sends.push(send(1, 9, 50, Outcome::Unknown));
            let mut read = history.reads[0].clone();
            read.value = value(1, 9);
            history.reads.push(read);
        });
        assert_eq!(two, ["R1 inconsistent-offset", "R8 vanished-read"]);
    }
}
