//! Randomness that is passed down, so that a seed reproduces a run.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Draws random bits.
pub trait Rng: Send {
    /// 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// A number in `0..bound`; 0 when `bound` is 0. Not for secrets.
    fn below(&mut self, bound: u64) -> u64 {
        // Widening multiply (Lemire 2019); the bias of at most bound/2^64 does not matter here.
        u64::try_from((u128::from(self.next_u64()) * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// 16 random bytes.
    fn bytes16(&mut self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        out[8..].copy_from_slice(&self.next_u64().to_be_bytes());
        out
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same sequence on every machine.
#[derive(Clone, Debug)]
pub struct SeededRng(u64);

impl SeededRng {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Rng for SeededRng {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Seeded by the operating system, once per instance. Not for secrets.
#[derive(Clone, Debug)]
pub struct RealRng(SeededRng);

impl Default for RealRng {
    fn default() -> Self {
        // The standard library keys its hash maps from the operating system's generator.
        Self(SeededRng::new(RandomState::new().build_hasher().finish()))
    }
}

impl Rng for RealRng {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
