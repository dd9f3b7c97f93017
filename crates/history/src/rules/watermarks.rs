//! R13: log start ≤ high watermark ≤ log end, and within a leader epoch the high watermark never goes back.

use std::collections::BTreeMap;

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let mut known = BTreeMap::new();
    for mark in &history.watermarks {
        if mark.log_start > mark.high_watermark || mark.high_watermark > mark.log_end {
            return Some(format!("{mark:?}"));
        }
        let former = known.insert((mark.partition, mark.epoch), mark.high_watermark);
        if former.is_some_and(|former| former > mark.high_watermark) {
            return Some(format!("{mark:?} after {former:?}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_high_watermark_beyond_the_end() {
        let beyond = breaks(|history| history.watermarks[0].log_end = offset(0));
        assert_eq!(beyond, ["R13 watermarks"]);
    }

    #[test]
    fn a_high_watermark_that_goes_back() {
        let back = breaks(|history| {
            let mut mark = history.watermarks[1].clone();
            mark.high_watermark = offset(1);
            history.watermarks.push(mark);
        });
        assert_eq!(back, ["R13 watermarks"]);
    }
}
