//! R2: what is deduplicated, or was sent once, is in the log once at most.

use std::collections::{BTreeMap, BTreeSet};

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let sent: BTreeSet<_> = history.sends.iter().map(|send| send.value).collect();
    let mut seen = BTreeMap::new();
    for dump in history.final_logs() {
        for record in dump.records.iter().filter(|record| sent.contains(&record.value)) {
            let at = (dump.partition, record.offset);
            if let Some(first) = seen.insert(record.value, at) {
                return Some(format!("{:?} is at {first:?} and {at:?}", record.value));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_value_twice() {
        // Behind everything else, on both replicas.
        let twice = breaks(|history| {
            for dump in &mut history.dumps {
                dump.records.push(dumped(3, 2, value(1, 0)));
            }
        });
        assert_eq!(twice, ["R2 duplicate"]);
    }
}
