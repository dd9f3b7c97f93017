//! A record's position in its partition.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A record's position in its partition, from 0. Ordered, and closed under adding record counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub i64);

impl Offset {
    /// The first offset of a new partition.
    pub const ZERO: Self = Self(0);
    /// What the protocol sends for "none" (−1).
    pub const NONE: Self = Self(-1);

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The offset after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl From<i64> for Offset {
    fn from(value: i64) -> Self {
        Self(value)
    }
}

impl From<Offset> for i64 {
    fn from(value: Offset) -> Self {
        value.0
    }
}

impl Add<i64> for Offset {
    type Output = Self;
    fn add(self, records: i64) -> Self {
        Self(self.0.saturating_add(records))
    }
}

impl AddAssign<i64> for Offset {
    fn add_assign(&mut self, records: i64) {
        *self = *self + records;
    }
}

impl Sub for Offset {
    type Output = i64;
    fn sub(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
