//! Numbers to spread load with; not for secrets.

use std::hash::{BuildHasher, RandomState};

/// 64 random bits.
pub(crate) fn bits() -> u64 {
    // The standard library seeds each hasher state anew from the operating system's bits.
    RandomState::new().hash_one(0)
}

/// From 0 to below 1.
pub(crate) fn unit() -> f64 {
    (bits() >> 11) as f64 / (1_u64 << 53) as f64
}
