//! The states of a classic group.

use std::fmt;

/// What a classic group is doing (Kafka: `ClassicGroupState`).
///
/// ```text
///              join                    all joined, or time is up
///   Empty ────────────▶ PreparingRebalance ─────────────▶ CompletingRebalance
///     ▲                   ▲      │     ▲                      │        │
///     │ nobody joined     │      │     │ member lost,         │        │ leader's SyncGroup
///     └───────────────────┼──────┘     │ changed or added     │        ▼
///                         │            └──────────────────────┘      Stable
///                         └─────────── member lost, changed or added ──┘
///
///   Empty ──▶ Dead: deleted, or its last offset expired
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    /// No members; it may have offsets.
    Empty,
    /// Collects JoinGroup requests.
    PreparingRebalance,
    /// Waits for the leader's assignment.
    CompletingRebalance,
    /// Every member has, or can ask for, its assignment.
    Stable,
    /// There is no such group.
    Dead,
}

impl GroupState {
    /// All, for metrics by state.
    pub const ALL: [Self; 5] =
        [Self::Empty, Self::PreparingRebalance, Self::CompletingRebalance, Self::Stable, Self::Dead];

    /// Kafka's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::Dead => "Dead",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
