//! Which transactions were aborted, found in the batches themselves.

use std::collections::{BTreeMap, HashMap};

use ottla_types::ProducerId;

use super::job::{CompactError, Pace, Source, spend};
use super::transactions::AbortedTxn;
use crate::context::Context;
use crate::log::end_marker;
use crate::segment::scan::Scan;

/// What is read of a large batch, about.
const HEADER_BYTES: usize = 16 << 10;

/// The aborted transactions that have batches below `upper`, by first offset. Reads on to the end of `sources`, or until
/// none of them is open.
pub(super) fn find_aborted(
    ctx: &Context,
    sources: &[Source],
    upper: i64,
    pace: &mut dyn Pace,
) -> Result<Vec<AbortedTxn>, CompactError> {
    let mut open: HashMap<ProducerId, i64> = HashMap::new();
    let mut by_offset: BTreeMap<i64, ProducerId> = BTreeMap::new();
    let mut aborted = Vec::new();
    for source in sources {
        let file = source.open(ctx)?;
        let mut scan = Scan::new(&*file, 0, source.size);
        while let Some((position, header)) = source.next_batch(ctx, &mut scan)? {
            let is_below = by_offset.first_key_value().is_some_and(|(first, _)| *first < upper);
            if header.base_offset.0 >= upper && !is_below {
                return Ok(sorted(aborted));
            }
            spend(pace, header.size().min(HEADER_BYTES) as u64)?;
            if !header.attributes.is_transactional() {
                continue;
            }
            let producer_id = header.producer_id;
            if !header.attributes.is_control() {
                let first = *open.entry(producer_id).or_insert(header.base_offset.0);
                by_offset.insert(first, producer_id);
                continue;
            }
            let batch = scan.batch(position, &header).map_err(|e| source.failed(ctx, e))?;
            let marker = end_marker(&batch).map_err(|e| source.damaged(ctx, position, &e.to_string()))?;
            let Some(first_offset) = marker.and_then(|_| open.remove(&producer_id)) else { continue };
            by_offset.remove(&first_offset);
            if marker.is_some_and(|marker| !marker.commit) {
                let last_offset = header.last_offset().0;
                aborted.push(AbortedTxn {
                    producer_id,
                    first_offset,
                    last_offset,
                    last_stable_offset: by_offset
                        .first_key_value()
                        .map_or(last_offset + 1, |(first, _)| *first),
                });
            }
        }
    }
    Ok(sorted(aborted))
}

fn sorted(mut aborted: Vec<AbortedTxn>) -> Vec<AbortedTxn> {
    aborted.sort_by_key(|txn| txn.first_offset);
    aborted
}
