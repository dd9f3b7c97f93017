//! R4: at the offset of an acknowledgement is what was acknowledged.

use std::collections::BTreeMap;

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    let logs: BTreeMap<_, _> = history
        .final_logs()
        .flat_map(|dump| dump.records.iter().map(|record| ((dump.partition, record.offset), record.value)))
        .collect();
    history.sends.iter().filter(|send| send.all).find_map(|send| {
        let Outcome::Ok(offset) = send.outcome else { return None };
        let found = logs.get(&(send.partition, offset))?;
        let (partition, value) = (send.partition, send.value);
        (*found != value).then(|| {
            format!("partition {partition} offset {offset}: {value:?} acknowledged, {found:?} found")
        })
    })
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use crate::rules::testing::*;

    #[test]
    fn another_value_at_the_acknowledged_offset() {
        // Two sends told the other's offset: nothing is lost, but what was told is wrong.
        let swapped = breaks(|history| {
            history.sends[0].outcome = Outcome::Ok(offset(2));
            history.reads.clear();
        });
        assert_eq!(swapped, ["R1 inconsistent-offset", "R4 ack-mismatch", "R12 real-time-order"]);
    }
}
