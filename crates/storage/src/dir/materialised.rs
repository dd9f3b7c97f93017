//! Which partitions have a folder that must be there.
//!
//! A partition has nothing on disk before its first append. Its first flush makes the folder durable and then notes it
//! here; from then on a missing folder is damage, and never taken for an empty partition.
//!
//! ```text
//!  first append: folder, partition.metadata, first segment   (page cache)
//!  first flush:  sync all of these ─▶ sync their names ─▶ append "+ id partition topic crc" here, sync ─▶ acknowledge
//!  deletion:     rename the folder, sync its name ─▶ append "- …" here, sync
//!  set aside:    append "- …" here, sync ─▶ rename the folder, sync its name: nothing else tells later whose it was
//! ```
//!
//! A full disk may have no room for the last line. It is then owed: the renamed folder keeps telling whose it was until
//! the line is written.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ottla_env::{Disk, File, OpenOptions};
use ottla_records::crc32c;
use ottla_types::{TopicIdPartition, TopicPartition};
use parking_lot::Mutex;

use crate::error::StorageError;
use crate::text_file;

/// The file's name; Apache Kafka ignores it.
pub(crate) const FILE_NAME: &str = "ottla-partitions";
const FORMAT: u32 = 1;
const FIRST_LINE: &str = "ottla-partitions 1\n";
const MAX_BYTES: usize = 1 << 30;

/// The record of materialised partitions of one directory.
#[derive(Debug)]
pub(crate) struct Materialised {
    known: Mutex<Known>,
    /// Held while owed lines are written: none may come behind the line of a partition that came back.
    settling: Mutex<()>,
    /// Lines that wait to be written by whoever holds `file`.
    queue: Mutex<Queue>,
    file: Mutex<Journal>,
}

#[derive(Debug, Default)]
struct Known {
    /// Whose folder must be there.
    there: BTreeSet<TopicIdPartition>,
    /// Whose folder is gone, which the file does not say yet.
    owed: BTreeSet<TopicIdPartition>,
}

#[derive(Debug, Default)]
struct Queue {
    lines: Vec<(u64, String)>,
    last: u64,
}

#[derive(Debug)]
struct Journal {
    file: Arc<dyn File>,
    end: u64,
    written: u64,
}

impl Materialised {
    /// Reads the record, and writes it anew if it has grown over what it says. Where there is none, the directory is new
    /// or Kafka's own: then the partitions that `found` tells are taken over.
    pub(crate) fn open(
        disk: &dyn Disk,
        root: &Path,
        found: impl FnOnce() -> BTreeSet<TopicIdPartition>,
    ) -> Result<Self, StorageError> {
        let path = root.join(FILE_NAME);
        let io_error = |e| StorageError::io("open", &path, e);
        let text = text_file::read(disk, &path, MAX_BYTES).map_err(io_error)?;
        let (known, valid, lines) = match &text {
            None => (found(), 0, 0),
            Some(bytes) => {
                check_format(&path, bytes)?;
                parse(bytes).ok_or_else(|| damaged(&path))?
            }
        };
        let mut end = valid as u64;
        if text.is_none() || lines > 2 * known.len() + 1000 {
            let mut text = FIRST_LINE.to_owned();
            known.iter().for_each(|partition| text.push_str(&line('+', partition)));
            text_file::replace(disk, &path, text.as_bytes()).map_err(io_error)?;
            end = text.len() as u64;
        }
        let file = disk.open(&path, OpenOptions::WRITE).map_err(io_error)?;
        // A torn line was never synced; whole ones may not be either, if a process died before it did.
        let cut = if file.len().map_err(io_error)? > end { file.set_len(end) } else { Ok(()) };
        cut.and_then(|()| file.sync_data()).map_err(io_error)?;
        Ok(Self {
            known: Mutex::new(Known { there: known, owed: BTreeSet::new() }),
            settling: Mutex::default(),
            queue: Mutex::default(),
            file: Mutex::new(Journal { file, end, written: 0 }),
        })
    }

    pub(crate) fn contains(&self, partition: &TopicIdPartition) -> bool {
        self.known.lock().there.contains(partition)
    }

    pub(crate) fn all(&self) -> Vec<TopicIdPartition> {
        self.known.lock().there.iter().cloned().collect()
    }

    /// Notes durably that the folder must be there. Calls at the same time share one sync.
    pub(crate) fn add(&self, partition: &TopicIdPartition) -> io::Result<()> {
        self.log(line('+', partition))?;
        self.known.lock().there.insert(partition.clone());
        Ok(())
    }

    /// Notes durably that the folders may be gone, all with one sync. After an error the lines are owed.
    pub(crate) fn remove(&self, partitions: &[TopicIdPartition]) -> io::Result<()> {
        {
            let mut known = self.known.lock();
            for partition in partitions {
                if known.there.remove(partition) {
                    known.owed.insert(partition.clone());
                }
            }
        }
        self.settle()
    }

    /// Whether lines of removals are not written yet.
    pub(crate) fn is_owing(&self) -> bool {
        !self.known.lock().owed.is_empty()
    }

    /// Whether the line of this partition's removal is not written yet.
    pub(crate) fn owes(&self, partition: &TopicIdPartition) -> bool {
        self.known.lock().owed.contains(partition)
    }

    /// Writes the lines that are owed.
    pub(crate) fn settle(&self) -> io::Result<()> {
        let _alone = self.settling.lock();
        let owed = self.known.lock().owed.clone();
        if owed.is_empty() {
            return Ok(());
        }
        self.log(owed.iter().map(|partition| line('-', partition)).collect())?;
        self.known.lock().owed.retain(|partition| !owed.contains(partition));
        Ok(())
    }

    fn log(&self, lines: String) -> io::Result<()> {
        let mine = {
            let mut queue = self.queue.lock();
            queue.last += 1;
            let mine = queue.last;
            queue.lines.push((mine, lines));
            mine
        };
        let mut journal = self.file.lock();
        if journal.written >= mine {
            return Ok(());
        }
        let (lines, last) = {
            let mut queue = self.queue.lock();
            (std::mem::take(&mut queue.lines), queue.last)
        };
        let text: String = lines.iter().map(|(_, line)| line.as_str()).collect();
        let Journal { file, end, .. } = &*journal;
        if let Err(e) = file.write_all_at(text.as_bytes(), *end).and_then(|()| file.sync_data()) {
            // What was written of it must not be taken for a line later. After a failed sync nothing matters any more.
            let _ = file.set_len(*end);
            // This one did not happen; the others that wait for their lines try again.
            let mut queue = self.queue.lock();
            queue.lines.splice(..0, lines.into_iter().filter(|(line, _)| *line != mine));
            return Err(e);
        }
        journal.end += text.len() as u64;
        journal.written = last;
        Ok(())
    }
}

fn line(sign: char, partition: &TopicIdPartition) -> String {
    let TopicPartition { topic, partition: index } = &partition.topic_partition;
    let body = format!("{sign} {} {index} {topic}", partition.topic_id);
    let crc = crc32c(body.as_bytes());
    format!("{body} {crc:08x}\n")
}

/// Whether a later build wrote it.
fn check_format(path: &Path, bytes: &[u8]) -> Result<(), StorageError> {
    let first = bytes.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let found = first.and_then(|line| line.strip_prefix("ottla-partitions ")?.parse().ok());
    match found {
        Some(found) if found > FORMAT => {
            Err(StorageError::Format { path: path.to_owned(), found, known: FORMAT })
        }
        _ => Ok(()),
    }
}

/// The partitions, how many bytes are valid, how many lines. An invalid end was never synced; anything invalid before a
/// valid line is damage.
fn parse(bytes: &[u8]) -> Option<(BTreeSet<TopicIdPartition>, usize, usize)> {
    let mut rest = bytes.strip_prefix(FIRST_LINE.as_bytes())?;
    let (mut known, mut valid, mut lines) = (BTreeSet::new(), FIRST_LINE.len(), 0);
    let mut torn = false;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at(end + 1);
        rest = after;
        match parse_line(line) {
            Some(_) if torn => return None,
            Some(('+', partition)) => {
                known.insert(partition);
            }
            Some((_, partition)) => {
                known.remove(&partition);
            }
            None => {
                torn = true;
                continue;
            }
        }
        valid += line.len();
        lines += 1;
    }
    Some((known, valid, lines))
}

fn parse_line(line: &[u8]) -> Option<(char, TopicIdPartition)> {
    let line = std::str::from_utf8(line).ok()?.trim_end_matches('\n');
    let (body, crc) = line.rsplit_once(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != crc32c(body.as_bytes()) {
        return None;
    }
    let mut words = body.splitn(4, ' ');
    let sign = words.next()?.chars().next()?;
    let topic_id = words.next()?.parse().ok()?;
    let index: i32 = words.next()?.parse().ok()?;
    let topic_partition = TopicPartition::new(words.next()?, index);
    Some((sign, TopicIdPartition { topic_id, topic_partition }))
}

fn damaged(path: &Path) -> StorageError {
    StorageError::damaged(
        path,
        "a line in the middle is not what was written; removing the file accepts the folders as they are",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_simdisk::SimDisk;
    use ottla_types::Uuid;

    fn partition(i: i32) -> TopicIdPartition {
        TopicIdPartition { topic_id: Uuid([7; 16]), topic_partition: TopicPartition::new("a-b.c", i) }
    }

    fn open(disk: &SimDisk) -> Result<Materialised, StorageError> {
        Materialised::open(disk, Path::new("/"), BTreeSet::new)
    }

    #[test]
    fn what_was_noted_survives_power_loss() {
        for seed in 0..100 {
            let disk = SimDisk::new(seed);
            let noted = open(&disk).unwrap();
            noted.add(&partition(0)).unwrap();
            noted.add(&partition(1)).unwrap();
            noted.remove(&[partition(0)]).unwrap();
            disk.crash_at(1 + seed % 3);
            let added = noted.add(&partition(2)).is_ok();
            disk.restart();
            let all = open(&disk).unwrap().all();
            assert!(all == [partition(1)] && !added || all == [partition(1), partition(2)], "{all:?}");
        }
    }

    #[test]
    fn what_a_process_did_not_live_to_sync_is_durable_once_it_was_read() {
        for seed in 0..50 {
            let disk = SimDisk::new(seed);
            let noted = open(&disk).unwrap();
            noted.add(&partition(0)).unwrap();
            // The line is written, its sync fails.
            disk.crash_at(2);
            assert!(noted.remove(&[partition(0)]).is_err());
            drop(noted);
            disk.restart_process();
            assert_eq!(open(&disk).unwrap().all(), []);
            disk.crash();
            assert_eq!(open(&disk).unwrap().all(), []);
        }
    }

    #[test]
    fn removals_that_find_no_room_are_written_later() {
        let disk = SimDisk::new(1);
        let noted = open(&disk).unwrap();
        (0..3).for_each(|i| noted.add(&partition(i)).unwrap());
        disk.inject(ottla_simdisk::Fault::no_space(ottla_simdisk::Op::Write));
        assert!(noted.remove(&[partition(0), partition(2)]).is_err());
        assert_eq!((noted.all(), noted.is_owing()), (vec![partition(1)], true));
        noted.settle().unwrap();
        assert!(!noted.is_owing());
        disk.crash();
        assert_eq!(open(&disk).unwrap().all(), [partition(1)]);
    }

    #[test]
    fn a_torn_end_is_cut_and_damage_before_is_told() {
        let disk = SimDisk::new(1);
        let noted = open(&disk).unwrap();
        noted.add(&partition(0)).unwrap();
        noted.add(&partition(1)).unwrap();
        let path = Path::new("/").join(FILE_NAME);
        let len = disk.open(&path, OpenOptions::READ).unwrap().len().unwrap();
        disk.corrupt(&path, len - 3, 1).unwrap();
        assert_eq!(open(&disk).unwrap().all(), [partition(0)]);
        let noted = open(&disk).unwrap();
        noted.add(&partition(2)).unwrap();
        disk.corrupt(&path, FIRST_LINE.len() as u64 + 5, 1).unwrap();
        assert!(matches!(open(&disk), Err(StorageError::Damaged { .. })));
    }

    #[test]
    fn a_later_format_is_refused_with_the_remedy() {
        let disk = SimDisk::new(1);
        let path = Path::new("/").join(FILE_NAME);
        text_file::replace(&disk, &path, b"ottla-partitions 2\n? what comes then\n").unwrap();
        let refused = open(&disk).unwrap_err().to_string();
        assert_eq!(
            refused,
            "/ottla-partitions has format 2, this build reads 1: run the newer build that wrote it"
        );
    }
}
