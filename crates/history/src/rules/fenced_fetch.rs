//! R18: whoever fetches by the epoch of another leader is refused (KIP-320), be it older or newer: what it has, or wants, is of
//! another history.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let (led, asked) = history.fetches.iter().find(|(led, asked)| led.epoch != *asked)?;
    Some(format!("{led:?} answered a fetch by epoch {asked}"))
}

#[cfg(test)]
mod tests {
    use ottla_types::LeaderEpoch;

    use crate::rules::testing::*;

    #[test]
    fn a_fetch_by_another_epoch() {
        let other = breaks(|history| {
            let (led, _) = history.deposed[0];
            history.fetches.insert((led, LeaderEpoch(led.epoch.0 + 2)));
        });
        assert_eq!(other, ["R18 fenced-fetch"]);
    }
}
