//! R13: once others lead and the former leader's lease is over, it answers no client any more. If its broker's session has ended, the lease
//! ended before; if another one was preferred to it, it may lead on until it has to know.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    history.deposed.iter().find_map(|(led, at)| {
        let last = history.served.get(led).filter(|last| *last > at)?;
        Some(format!("{led:?} had to be silent from {at:?} on, and answered a client at {last:?}"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::rules::testing::*;

    #[test]
    fn a_leader_that_serves_when_its_lease_is_over() {
        let stale = breaks(|history| {
            let (led, at) = history.deposed[0];
            history.served.insert(led, at + Duration::from_millis(1));
        });
        assert_eq!(stale, ["R13 stale-leader"]);
    }
}
