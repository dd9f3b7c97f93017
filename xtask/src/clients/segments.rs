//! Looks into the log files that the node wrote: whether batches really carry the codec and the producer id
//! that the client was asked for. A client that is misled about the broker's abilities falls back silently.

use std::fs;
use std::path::Path;

use crate::Failure;

/// Bytes before the records of a batch (`DefaultRecordBatch`).
const HEADER: usize = 61;

struct Batch {
    codec: u8,
    producer_id: i64,
}

/// Checks partition 0 of `topic`, as far as `capability` says anything about its batches.
pub(crate) fn check(data_dir: &Path, topic: &str, capability: &str) -> Result<(), Failure> {
    let codec = match capability {
        "gzip" => 1,
        "snappy" => 2,
        "lz4" => 3,
        "zstd" => 4,
        "none" | "idempotence" => 0,
        _ => return Ok(()),
    };
    let batches = read(&data_dir.join(format!("{topic}-0")))?;
    if batches.is_empty() {
        return Err("no batch in the log's files".into());
    }
    // A client may leave single batches uncompressed that would only grow.
    if capability != "idempotence" && !batches.iter().any(|batch| batch.codec == codec) {
        return Err(format!("no batch in the log's files has codec {codec}").into());
    }
    if capability == "idempotence" && batches.iter().any(|batch| batch.producer_id < 0) {
        return Err("a batch in the log's files has no producer id".into());
    }
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Batch>, Failure> {
    let mut batches = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            parse(&fs::read(path)?, &mut batches);
        }
    }
    Ok(batches)
}

/// ```text
/// 0           8       12      16     17    21          23 … 43            51
/// base offset  length  epoch   magic  CRC   attributes      producer id
/// ```
fn parse(mut file: &[u8], batches: &mut Vec<Batch>) {
    while let Some(header) = file.get(..HEADER) {
        let field =
            |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = field(8) as usize;
        if length == 0 {
            return; // a preallocated rest
        }
        let producer_id = i64::from(field(43).cast_signed()) << 32 | i64::from(field(47));
        batches.push(Batch { codec: header[22] & 7, producer_id });
        file = file.get(12 + length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_found_up_to_the_preallocated_rest() {
        let mut batch = vec![0; HEADER + 3];
        batch[8..12].copy_from_slice(&52u32.to_be_bytes());
        batch[22] = 4;
        batch[43..51].copy_from_slice(&(-1i64).to_be_bytes());
        let mut second = batch.clone();
        second[22] = 0x10 | 1;
        second[43..51].copy_from_slice(&7_000_000_000i64.to_be_bytes());
        let file = [batch, second, vec![0; 200]].concat();
        let mut found = Vec::new();
        parse(&file, &mut found);
        let found: Vec<_> = found.iter().map(|batch| (batch.codec, batch.producer_id)).collect();
        assert_eq!(found, [(4, -1), (1, 7_000_000_000)]);
    }
}
