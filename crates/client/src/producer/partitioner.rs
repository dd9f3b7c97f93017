//! Which partition a record goes to.

use ottla_types::PartitionIndex;

/// The partition of a key, as Kafka's Java clients choose it: murmur2, so that keys written by both land
/// together.
pub fn partition_for_key(key: &[u8], partitions: i32) -> PartitionIndex {
    let positive = murmur2(key) & 0x7fff_ffff;
    PartitionIndex((positive % partitions.max(1) as u32) as i32)
}

/// Records without a key stay with one partition until it got a batch's worth of bytes, then move to
/// another at random (KIP-480, KIP-794): full batches, and even load.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sticky {
    current: Option<i32>,
    bytes: usize,
}

impl Sticky {
    /// The partition for a record of `size` bytes. `switch_after` is the batch size, `random` any number.
    pub(crate) fn next(
        &mut self,
        partitions: i32,
        size: usize,
        switch_after: usize,
        random: u64,
    ) -> PartitionIndex {
        let partitions = partitions.max(1);
        let full = self.bytes >= switch_after;
        let partition = match self.current {
            Some(current) if current < partitions && !full => current,
            Some(current) if current < partitions && partitions > 1 => {
                // Any but the current one.
                let step = 1 + (random % (partitions as u64 - 1)) as i32;
                (current + step) % partitions
            }
            _ => (random % partitions as u64) as i32,
        };
        if full || self.current != Some(partition) {
            self.bytes = 0;
        }
        self.bytes += size;
        self.current = Some(partition);
        PartitionIndex(partition)
    }
}

/// MurmurHash2 with Kafka's seed (`Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    const SEED: u32 = 0x9747_b28c;
    let mut h = SEED ^ data.len() as u32;
    let (words, tail) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k = (k ^ (k >> R)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    for (i, byte) in tail.iter().enumerate() {
        h ^= u32::from(*byte) << (8 * i);
    }
    if !tail.is_empty() {
        h = h.wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_kafkas() {
        // Values that Kafka's UtilsTest.testMurmur2 expects.
        for (key, hash) in [
            ("21", -973932308),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
    }

    #[test]
    fn keyless_records_fill_a_batch_before_they_move() {
        let mut sticky = Sticky::default();
        let picks: Vec<_> = (0..6).map(|i| sticky.next(3, 50, 100, i).0).collect();
        assert_eq!(picks[0], picks[1]);
        assert_ne!(picks[1], picks[2]);
        assert_eq!(picks[2], picks[3]);
        assert_ne!(picks[3], picks[4]);
    }

    #[test]
    fn one_partition_gets_everything() {
        let mut sticky = Sticky::default();
        assert!((0..50).all(|i| sticky.next(1, 80, 100, i).0 == 0));
        assert_eq!(partition_for_key(b"k", 1).0, 0);
    }
}
