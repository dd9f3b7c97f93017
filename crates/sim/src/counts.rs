//! What a run has seen. A batch of seeds in which one kind never happened tests less than it seems to.

use std::collections::BTreeMap;

/// Everything that is counted.
pub const KINDS: [&str; 30] = [
    "elections",
    "ELR elections",
    "ISR shrinks",
    "ISR expansions",
    "truncations",
    "fencings",
    "lease expiries",
    "leases not prolonged",
    "unclean restarts kept eligible",
    "reassignments completed",
    "reassignments cancelled",
    "balancer moves",
    "controllers elected",
    "heartbeats to deposed controllers",
    "decisions of unknown fate",
    "acknowledged",
    "refused",
    "unknown outcomes",
    "retries",
    "messages lost",
    "isolations",
    "one-way partitions",
    "bridges",
    "metadata held back",
    "pauses",
    "kills",
    "power losses",
    "power losses of all",
    "failed syncs",
    "failed reads",
];

/// How often each of [`KINDS`] happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    pub(crate) fn add(&mut self, kind: &'static str) {
        debug_assert!(KINDS.contains(&kind), "{kind}");
        *self.0.entry(kind).or_default() += 1;
    }

    /// How often `kind` happened.
    pub fn of(&self, kind: &str) -> u64 {
        self.0.get(kind).copied().unwrap_or(0)
    }

    /// Adds another run's.
    pub fn merge(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(kind).or_default() += count;
        }
    }

    /// The kinds that never happened.
    pub fn missing(&self) -> Vec<&'static str> {
        KINDS.into_iter().filter(|kind| self.of(kind) == 0).collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for kind in KINDS {
            writeln!(f, "{kind:<26} {:>10}", self.of(kind))?;
        }
        Ok(())
    }
}
