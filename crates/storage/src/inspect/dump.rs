//! What is in one file of a partition's folder, as far as it reads (Kafka's `DumpLogSegments`).

use std::io;
use std::path::Path;

use ottla_env::{Disk, OpenOptions};
use ottla_records::BatchView;
use ottla_types::{Offset, ProducerEpoch, ProducerId, TimestampMs};

use crate::error::StorageError;
use crate::producer::Producers;
use crate::segment::index::{Entry, OffsetEntry, TimeEntry};
use crate::segment::parse_file_name;
use crate::segment::scan::{Found, Scan};
use crate::text_file;

/// Indexes and snapshots are read as a whole.
const MAX_BYTES: usize = 1 << 30;

/// One thing in a file.
#[derive(Debug)]
pub enum Item {
    /// Of a `.log`: a batch, with its position. Its checksum was not looked at.
    Batch(u64, BatchView),
    /// Of an `.index`: the batch with this last offset is at this position.
    Offset(Offset, u32),
    /// Of a `.timeindex`: up to this offset no timestamp is larger.
    Timestamp(TimestampMs, Offset),
    /// Of a `.snapshot`.
    Producer(ProducerEntry),
    /// What follows at this position is not what the file should hold; nothing more is read.
    Bad(u64, String),
}

/// What a snapshot tells of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// Who.
    pub id: ProducerId,
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The sequence of the last record that it wrote; −1: none is known.
    pub last_sequence: i32,
    /// Where that record is; −1: not known.
    pub last_offset: Offset,
    /// The time of its last batch.
    pub last_timestamp: TimestampMs,
    /// Where its open transaction begins, if it has one.
    pub txn_first_offset: Option<Offset>,
}

/// Calls `each` with everything in the file at `path`, whose name tells what it is; ends early when `each` says false. Only reads.
pub fn dump(disk: &dyn Disk, path: &Path, each: &mut dyn FnMut(Item) -> bool) -> Result<(), StorageError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    // What compaction or a deletion has not finished is named likewise, with something behind.
    let kind = parse_file_name(name).map(|(base, suffix)| (base, suffix.split('.').next().unwrap_or(suffix)));
    let dumped = match kind {
        Some((_, "log")) => batches(disk, path, each),
        Some((base, "index")) => index::<OffsetEntry>(disk, path, each, |entry| {
            Item::Offset(Offset(base.saturating_add(entry.relative_offset.into())), entry.position)
        }),
        Some((base, "timeindex")) => index::<TimeEntry>(disk, path, each, |entry| {
            Item::Timestamp(entry.timestamp, Offset(base.saturating_add(entry.relative_offset.into())))
        }),
        Some((_, "snapshot")) => producers(disk, path, each),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is none of .log, .index, .timeindex and .snapshot, with an offset of 20 digits before",
        )),
    };
    dumped.map_err(|e| StorageError::io("dump", path, e))
}

fn batches(disk: &dyn Disk, path: &Path, each: &mut dyn FnMut(Item) -> bool) -> io::Result<()> {
    let file = disk.open(path, OpenOptions::READ)?;
    let mut scan = Scan::new(&*file, 0, file.len()?);
    loop {
        let item = match scan.next()? {
            Found::End => return Ok(()),
            Found::Bad { position, reason } => Item::Bad(position, reason),
            Found::Batch { position, header } => Item::Batch(position, scan.batch(position, &header)?),
        };
        let is_last = matches!(item, Item::Bad(..));
        if !each(item) || is_last {
            return Ok(());
        }
    }
}

fn index<E: Entry>(
    disk: &dyn Disk,
    path: &Path,
    each: &mut dyn FnMut(Item) -> bool,
    item: impl Fn(E) -> Item,
) -> io::Result<()> {
    let bytes = text_file::read(disk, path, MAX_BYTES)?.ok_or(io::ErrorKind::NotFound)?;
    let mut last: Option<E> = None;
    for (position, chunk) in (0..).step_by(E::SIZE).zip(bytes.chunks(E::SIZE)) {
        let entry = E::read(chunk).filter(|_| chunk.len() == E::SIZE);
        match entry.filter(|entry| last.is_none_or(|last| entry.follows(last))) {
            Some(entry) if each(item(entry)) => last = Some(entry),
            Some(_) => return Ok(()),
            // Kafka extends indexes ahead of their entries.
            None if last.is_some() && bytes[position..].iter().all(|byte| *byte == 0) => return Ok(()),
            None => {
                each(Item::Bad(position as u64, "the entry does not follow the one before".to_owned()));
                return Ok(());
            }
        }
    }
    Ok(())
}

fn producers(disk: &dyn Disk, path: &Path, each: &mut dyn FnMut(Item) -> bool) -> io::Result<()> {
    let bytes = text_file::read(disk, path, MAX_BYTES)?.ok_or(io::ErrorKind::NotFound)?;
    let Some(producers) = Producers::from_snapshot(&bytes) else {
        each(Item::Bad(0, "it is no snapshot of version 1, or its checksum is wrong".to_owned()));
        return Ok(());
    };
    let mut all: Vec<_> = producers.iter().collect();
    all.sort_unstable_by_key(|(id, _)| *id);
    for (id, producer) in all {
        let last = producer.last_batch();
        let entry = ProducerEntry {
            id,
            epoch: producer.epoch,
            last_sequence: last.map_or(-1, |batch| batch.last_sequence),
            last_offset: Offset(last.map_or(-1, |batch| batch.last_offset)),
            last_timestamp: producer.last_timestamp,
            txn_first_offset: producer.txn_first_offset.map(Offset),
        };
        if !each(Item::Producer(entry)) {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{append, batch, from_producer, new_log, small};

    fn items(disk: &dyn Disk, name: &str) -> Vec<Item> {
        let mut all = Vec::new();
        dump(disk, &Path::new("/data/t-0").join(name), &mut |item| {
            all.push(item);
            true
        })
        .unwrap();
        all
    }

    #[test]
    fn what_was_written_is_told() {
        let (disk, _dir, mut log) = new_log(small());
        for i in 0..20 {
            append(
                &mut log,
                from_producer(7, 1, i, &["a value of some length, so that the index has entries"]),
            )
            .unwrap();
        }
        log.close().unwrap();
        let offsets: Vec<i64> = items(&disk, "00000000000000000000.log")
            .iter()
            .map(|item| match item {
                Item::Batch(_, view) => view.base_offset.0,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(offsets, (0..20).collect::<Vec<_>>());
        let index = items(&disk, "00000000000000000000.index");
        assert!(!index.is_empty() && index.iter().all(|item| matches!(item, Item::Offset(..))), "{index:?}");
        let times = items(&disk, "00000000000000000000.timeindex");
        assert!(!times.is_empty() && times.iter().all(|item| matches!(item, Item::Timestamp(..))));
        let producers = items(&disk, "00000000000000000020.snapshot");
        assert!(
            matches!(
                producers[..],
                [Item::Producer(ProducerEntry { id: ProducerId(7), last_offset: Offset(19), .. })]
            ),
            "{producers:?}"
        );
    }

    #[test]
    fn it_ends_where_the_file_is_damaged_and_says_where() {
        let (disk, _dir, mut log) = new_log(small());
        append(&mut log, batch(&["first"])).unwrap();
        let second = append(&mut log, batch(&["second"])).unwrap();
        log.close().unwrap();
        let path = Path::new("/data/t-0/00000000000000000000.log");
        let len = disk.open(path, OpenOptions::READ).unwrap().len().unwrap();
        disk.open(path, OpenOptions::WRITE).unwrap().set_len(len - 1).unwrap();
        let found = items(&disk, "00000000000000000000.log");
        let [Item::Batch(0, _), Item::Bad(position, reason)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(*position, len - second.bytes);
        assert!(reason.contains("cut off"), "{reason}");
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let (disk, _dir, mut log) = new_log(small());
        append(&mut log, batch(&["first"])).unwrap();
        log.close().unwrap();
        let path = Path::new("/data/t-0/partition.metadata");
        let error = dump(&disk, path, &mut |_| true).unwrap_err();
        assert!(error.to_string().contains("none of .log"), "{error}");
    }
}
