//! C7: who comes back with all that its former process acknowledged stays eligible (KIP-966, `docs/adr/0005-unclean-restart.md`).

use crate::{History, Restart};

pub(super) fn check(history: &History) -> Option<String> {
    let has_all = |restart: &&Restart| history.noted.contains(&(restart.broker, restart.former));
    let mut needed = history.restarts.iter().filter(|restart| restart.is_needed).filter(has_all);
    let lost = needed.find(|restart| !restart.is_eligible)?;
    let Restart { broker, partition, former, .. } = lost;
    Some(format!(
        "broker {broker}, of epoch {former} before, is not eligible any more for partition {partition}"
    ))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_replica_that_lost_its_place_although_it_lost_nothing() {
        let lost = breaks(|history| history.restarts[0].is_eligible = false);
        assert_eq!(lost, ["C7 kept-place"]);
    }
}
