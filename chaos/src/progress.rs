//! Whether records were acknowledged all the time in which a majority could work.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_history::{Outcome, Send};

/// A time without an acknowledgement in a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) partition: i32,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// Less what a majority could not do anything about.
    pub(crate) counts: Duration,
}

/// Of each partition, the gaps between acknowledgements from `from` to `to`, the longest first; `excused` are the times in
/// which no progress was due.
pub(crate) fn gaps(
    sends: &[Send],
    partitions: i32,
    (from, to): (Duration, Duration),
    excused: &[(Duration, Duration)],
) -> Vec<Gap> {
    let mut acknowledged: BTreeMap<i32, Vec<Duration>> =
        (0..partitions).map(|p| (p, vec![from, to])).collect();
    for send in sends.iter().filter(|send| matches!(send.outcome, Outcome::Ok(_) | Outcome::OkSomewhere)) {
        if (from..to).contains(&send.ended) {
            acknowledged.entry(send.partition).or_default().push(send.ended);
        }
    }
    let mut gaps = Vec::new();
    for (partition, mut times) in acknowledged {
        times.sort_unstable();
        for pair in times.windows(2) {
            let &[from, to] = pair else { continue };
            let overlap = |(a, b): &(Duration, Duration)| (*b).min(to).saturating_sub((*a).max(from));
            let counts = (to - from).saturating_sub(excused.iter().map(overlap).sum());
            gaps.push(Gap { partition, from, to, counts });
        }
    }
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.counts));
    gaps
}

#[cfg(test)]
mod tests {
    use ottla_history::Value;
    use ottla_types::Offset;

    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn acknowledged(partition: i32, at: u64) -> Send {
        Send {
            partition,
            value: Value(0, at),
            idempotent: true,
            all: true,
            invoked: s(at),
            ended: s(at),
            outcome: Outcome::Ok(Offset(0)),
            out_of_order: false,
        }
    }

    #[test]
    fn what_nobody_could_help_does_not_count() {
        let sends = [acknowledged(0, 2), acknowledged(0, 9)];
        let found = gaps(&sends, 1, (s(0), s(10)), &[(s(3), s(5)), (s(8), Duration::MAX)]);
        let counts: Vec<_> = found.iter().map(|gap| (gap.from, gap.to, gap.counts)).collect();
        assert_eq!(counts, [(s(2), s(9), s(4)), (s(0), s(2), s(2)), (s(9), s(10), s(0))]);
    }

    #[test]
    fn a_partition_that_nobody_acknowledged_is_one_gap() {
        let found = gaps(&[acknowledged(0, 2)], 2, (s(0), s(4)), &[]);
        assert_eq!(found.first(), Some(&Gap { partition: 1, from: s(0), to: s(4), counts: s(4) }));
    }

    #[test]
    fn what_failed_is_no_progress() {
        let mut lost = acknowledged(0, 2);
        lost.outcome = Outcome::Unknown;
        assert_eq!(gaps(&[lost], 1, (s(0), s(4)), &[]).len(), 1);
    }
}
