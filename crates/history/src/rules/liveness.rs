//! R20: once all faults are healed, everything that was asked for comes about.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    (!history.unmet.is_empty()).then(|| history.unmet.join("; "))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn something_that_does_not_come_about() {
        assert_eq!(breaks(|history| history.unmet.push("no leader".to_owned())), ["R20 liveness"]);
    }
}
