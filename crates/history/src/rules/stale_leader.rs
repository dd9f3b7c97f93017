//! R13: once the session of a leader's broker has ended and others lead, it answers no client any more: its lease ended before.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    history.deposed.iter().find_map(|(led, at)| {
        let last = history.served.get(led).filter(|last| *last > at)?;
        Some(format!("{led:?} was fenced at {at:?}, and answered a client at {last:?}"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::rules::testing::*;

    #[test]
    fn a_leader_that_serves_after_it_was_fenced() {
        let stale = breaks(|history| {
            let (led, at) = history.deposed[0];
            history.served.insert(led, at + Duration::from_millis(1));
        });
        assert_eq!(stale, ["R13 stale-leader"]);
    }
}
