//! R3: what was acknowledged by all in-sync replicas is in the log at the end.

use std::collections::BTreeSet;

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    let found: BTreeSet<_> = history
        .final_logs()
        .flat_map(|dump| dump.records.iter().map(|record| (dump.partition, record.value)))
        .collect();
    let lost = history.sends.iter().filter(|send| send.all).find(|send| {
        matches!(send.outcome, Outcome::Ok(_) | Outcome::OkSomewhere)
            && !found.contains(&(send.partition, send.value))
    })?;
    Some(format!("{:?} of partition {} was acknowledged: {:?}", lost.value, lost.partition, lost.outcome))
}

#[cfg(test)]
mod tests {
    use crate::Outcome;
    use crate::rules::testing::*;

    #[test]
    fn an_acknowledged_value_that_is_not_there() {
        // Its offset is beyond the log's end.
        let lost = breaks(|history| history.sends.push(send(1, 9, 50, Outcome::Ok(offset(3)))));
        assert_eq!(lost, ["R3 lost-write"]);
        // Or nobody knows where it should have been.
        let lost = breaks(|history| history.sends.push(send(1, 9, 50, Outcome::OkSomewhere)));
        assert_eq!(lost, ["R3 lost-write"]);
    }
}
