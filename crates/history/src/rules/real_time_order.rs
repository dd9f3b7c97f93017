//! R12: what was sent after something was acknowledged lies behind it.

use crate::{History, Outcome};

pub(super) fn check(history: &History) -> Option<String> {
    let mut acknowledged: Vec<_> = history
        .sends
        .iter()
        .filter(|send| send.all)
        .filter_map(|send| match send.outcome {
            Outcome::Ok(offset) => Some((send, offset)),
            _ => None,
        })
        .collect();
    acknowledged.sort_by_key(|(send, _)| send.ended);
    let mut by_start = acknowledged.clone();
    by_start.sort_by_key(|(send, _)| send.invoked);
    let mut highest = std::collections::BTreeMap::new();
    let mut ended = acknowledged.into_iter().peekable();
    for (send, offset) in by_start {
        while let Some((before, at)) = ended.next_if(|(before, _)| before.ended < send.invoked) {
            let known = highest.entry(before.partition).or_insert((at, before.value));
            *known = (*known).max((at, before.value));
        }
        if let Some((at, value)) = highest.get(&send.partition).filter(|(at, _)| *at >= offset) {
            let later = send.value;
            return Some(format!(
                "{value:?} was acknowledged at {at}, then {later:?} sent, which is at {offset}"
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::rules::testing::*;

    #[test]
    fn a_later_send_that_lies_before() {
        let early = breaks(|history| {
            // The send that lies at 1 had ended before the one that lies at 0 began.
            (history.sends[0].invoked, history.sends[0].ended) =
                (Duration::from_secs(40), Duration::from_secs(41));
        });
        assert_eq!(early, ["R12 real-time-order"]);
    }
}
