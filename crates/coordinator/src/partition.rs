//! Which partition of an internal topic a key belongs to.

use ottla_types::PartitionIndex;

/// The partition, of `count`, whose shard owns the group or transactional id `key`: Java's
/// `String.hashCode` over UTF-16, made positive as Kafka's `Utils.abs` does. None when there are no
/// partitions.
pub fn partition_for(key: &str, count: u32) -> Option<PartitionIndex> {
    let hash =
        key.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // `Utils.abs` gives 0 for the one value whose absolute value is no i32.
    let positive = hash.checked_abs().unwrap_or(0).unsigned_abs();
    i32::try_from(positive.checked_rem(count)?).ok().map(PartitionIndex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_as_java_does() {
        // Computed with Java 17: Utils.abs(s.hashCode()) % 50.
        for (key, expected) in [
            ("", 0),
            ("group", 47),
            ("my-group", 12),
            ("console-consumer-12345", 6),
            ("ä", 28),
            ("😀", 49),
            ("polygenelubricants", 0),
        ] {
            assert_eq!(partition_for(key, 50), Some(PartitionIndex(expected)), "{key}");
        }
    }

    #[test]
    fn no_partitions_own_nothing() {
        assert_eq!(partition_for("group", 0), None);
        assert_eq!(partition_for("group", 1), Some(PartitionIndex(0)));
    }
}
