//! Which segments become one (`Cleaner.groupSegmentsBySize`): so segments do not get ever smaller.

use super::job::Source;

/// What a segment may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) segment_bytes: u64,
    pub(super) index_bytes: u64,
}

/// Sizes of a segment's indexes, bytes.
pub(super) type IndexSizes = (u64, u64);

/// How many of `sources`, from the first on, go into one segment.
pub(super) fn group_len(
    sources: &[Source],
    bounds: Bounds,
    mut index_sizes: impl FnMut(&Source) -> IndexSizes,
) -> usize {
    let Some(first) = sources.first() else { return 0 };
    let (mut bytes, (mut offsets, mut times)) = (first.size, index_sizes(first));
    let mut count = 1;
    for source in sources.iter().skip(1) {
        let sizes = index_sizes(source);
        bytes += source.size;
        offsets += sizes.0;
        times += sizes.1;
        let fits = bytes <= bounds.segment_bytes
            && offsets <= bounds.index_bytes
            && times <= bounds.index_bytes
            && (source.size == 0 || source.end - 1 - first.base <= i64::from(i32::MAX));
        if !fits {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(base: i64, end: i64, size: u64) -> Source {
        Source { base, end, size, ..Source::default() }
    }

    #[test]
    fn segments_become_one_as_long_as_it_can_hold_them() {
        let bounds = Bounds { segment_bytes: 100, index_bytes: 16 };
        let of = |sources: &[Source]| group_len(sources, bounds, |_| (8, 4));
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&[source(0, 5, 400)]), 1);
        assert_eq!(of(&[source(0, 5, 40), source(5, 9, 60), source(9, 10, 1)]), 2, "index");
        assert_eq!(of(&[source(0, 5, 41), source(5, 9, 60)]), 1, "bytes");
        let far = i64::from(i32::MAX) + 1;
        assert_eq!(of(&[source(0, 5, 1), source(5, far, 1)]), 2);
        assert_eq!(of(&[source(0, 5, 1), source(5, far + 1, 1)]), 1, "offsets");
        assert_eq!(of(&[source(0, 5, 1), source(5, far + 1, 0)]), 2, "empty");
    }
}
