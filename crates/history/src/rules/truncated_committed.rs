//! C9: a replica that is in sync or eligible cuts off nothing that is committed: what it is cut off for is another history.

use std::collections::BTreeSet;

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    let kept: BTreeSet<_> = history
        .final_logs()
        .flat_map(|dump| dump.records.iter().map(|r| (dump.partition, r.offset, r.epoch, r.value)))
        .collect();
    history.truncations.iter().filter(|truncation| truncation.is_eligible).find_map(|truncation| {
        let (partition, replica) = (truncation.partition, truncation.replica);
        let is_kept = |r: &&crate::Dumped| kept.contains(&(partition, r.offset, r.epoch, r.value));
        let lost = truncation.committed.iter().find(is_kept)?;
        Some(format!("partition {partition} replica {replica} cut off {lost:?}"))
    })
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_member_that_cuts_off_what_is_committed() {
        let cut = breaks(|history| {
            let kept = history.dumps[0].records[1];
            history.truncations[0].committed.push(kept);
        });
        assert_eq!(cut, ["C9 truncated-committed"]);
    }
}
