//! Of each key the last offset (`SkimpyOffsetMap`): keys are kept as hashes, so that memory depends on their number alone.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use siphasher::sip128::SipHasher24;

/// What a key takes: its hash, its offset, a byte of the table; and the table is at most 7/8 full and a power of two.
const BYTES_PER_KEY: usize = 25;
/// Smaller maps make no progress.
const MIN_KEYS: usize = 1024;

/// Key → last offset, up to a number of keys.
///
/// A key is known by a hash of 128 bits under a secret, so that nobody can make two keys collide, which would delete one of
/// them. The map grows with what is put in.
#[derive(Debug)]
pub struct OffsetMap {
    secret: [u8; 16],
    offsets: HashMap<KeyHash, i64, BuildHasherDefault<AlreadyHashed>>,
    max_keys: usize,
    /// Everything up to here was put in; −1: nothing.
    latest: i64,
}

impl OffsetMap {
    /// At most `max_bytes` (`log.cleaner.dedupe.buffer.size`), filled to `load_factor`. `secret` are random bits.
    pub fn new(max_bytes: usize, load_factor: f64, secret: [u8; 16]) -> Self {
        let buckets = max_bytes / BYTES_PER_KEY;
        // The table doubles: what does not fill the next power of two would take it all the same.
        let buckets = if buckets == 0 { 0 } else { 1 << buckets.ilog2() };
        let full = (buckets / 8 * 7) as f64;
        let max_keys = (full * load_factor.clamp(0.0, 1.0)) as usize;
        Self { secret, offsets: HashMap::default(), max_keys: max_keys.max(MIN_KEYS), latest: -1 }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.offsets = HashMap::default();
        self.latest = -1;
    }

    /// Puts a key in; false if there is no room for another. What `must` go in finds room.
    pub(super) fn put(&mut self, key: &[u8], offset: i64, must: bool) -> bool {
        if self.offsets.len() >= self.max_keys && !must {
            return false;
        }
        self.offsets.insert(self.hash(key), offset);
        true
    }

    /// The last offset of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<i64> {
        self.offsets.get(&self.hash(key)).copied()
    }

    pub(super) fn latest(&self) -> i64 {
        self.latest
    }

    pub(super) fn set_latest(&mut self, offset: i64) {
        self.latest = self.latest.max(offset);
    }

    /// How full it is, 0 to 1.
    pub fn utilization(&self) -> f64 {
        self.offsets.len() as f64 / self.max_keys as f64
    }

    fn hash(&self, key: &[u8]) -> KeyHash {
        let hash = SipHasher24::new_with_key(&self.secret).hash(key);
        KeyHash { half: hash.h1, other_half: hash.h2 }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct KeyHash {
    half: u64,
    other_half: u64,
}

/// By one number. (An array of them would be written to the hasher as bytes.)
impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.half);
    }
}

/// The keys are hashes: [`KeyHash`].
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not for keys, which come whole.
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_offset_of_a_key_counts_until_the_map_is_full() {
        let mut map = OffsetMap::new(0, 0.9, [7; 16]);
        for i in 0..MIN_KEYS {
            assert!(map.put(&(i % 1000).to_be_bytes(), i as i64, false));
        }
        assert_eq!(map.get(&3_usize.to_be_bytes()), Some(1003));
        assert_eq!(map.get(&30_usize.to_be_bytes()), Some(30));
        assert_eq!(map.get(b"other"), None);
        let put = (0..1000_i64).filter(|i| map.put(format!("new {i}").as_bytes(), *i, false)).count();
        assert_eq!(put, 24);
        assert!(map.put(b"more", 9, true));
    }

    #[test]
    fn keys_do_not_all_have_one_hash() {
        use std::hash::BuildHasher;
        let map = OffsetMap::new(0, 0.9, [7; 16]);
        let hashes = (0..1000_i64).map(|i| map.offsets.hasher().hash_one(map.hash(&i.to_be_bytes())));
        assert_eq!(hashes.collect::<std::collections::HashSet<_>>().len(), 1000);
    }

    #[test]
    fn a_map_of_kafkas_default_size_takes_millions_of_keys() {
        let map = OffsetMap::new(134_217_728, 0.9, [7; 16]);
        assert_eq!(map.max_keys, 3_303_014);
    }
}
