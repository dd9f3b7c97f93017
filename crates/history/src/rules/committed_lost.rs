//! C5: what a leader once called committed is in the log at the end. C6: who is elected has it already.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    history.final_logs().find_map(|dump| {
        let committed = history.committed(dump.partition);
        let end = dump.records.last().map_or(0, |record| record.offset.0 + 1);
        (end < committed.0).then(|| {
            format!("partition {}: committed up to {committed}, the log ends at {end}", dump.partition)
        })
    })
}

pub(super) fn check_elected(history: &History) -> Option<String> {
    let lacks = |end: ottla_types::Offset, committed| end < committed;
    let bad = history.elections.iter().find(|e| e.log_end.is_some_and(|end| lacks(end, e.committed)))?;
    Some(format!("{bad:?}"))
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_log_that_ends_before_what_was_committed() {
        let lost = breaks(|history| {
            let mark = &mut history.watermarks[1];
            (mark.high_watermark, mark.log_end) = (offset(9), offset(9));
        });
        assert_eq!(lost, ["C5 committed-lost"]);
    }

    #[test]
    fn a_leader_that_lacks_what_was_committed() {
        let lacks = breaks(|history| history.elections[0].log_end = Some(offset(0)));
        assert_eq!(lacks, ["C6 elected-lacks-committed"]);
    }
}
