//! What is known of each partition's offsets after a restart: `recovery-point-offset-checkpoint`,
//! `log-start-offset-checkpoint`, `replication-offset-checkpoint`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ottla_env::Disk;
use ottla_types::{Offset, TopicPartition};
use parking_lot::Mutex;

use crate::text_file;

const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
pub(crate) const LOG_STARTS: &str = "log-start-offset-checkpoint";
const HIGH_WATERMARKS: &str = "replication-offset-checkpoint";
const MAX_BYTES: usize = 1 << 30;

/// One partition's offsets as they will be written next; −1: nothing to write. Set by its log, read by whoever writes.
#[derive(Debug)]
pub(crate) struct Progress {
    recovery_point: AtomicI64,
    log_start: AtomicI64,
    high_watermark: AtomicI64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            recovery_point: AtomicI64::new(-1),
            log_start: AtomicI64::new(-1),
            high_watermark: AtomicI64::new(-1),
        }
    }
}

impl Progress {
    pub(crate) fn set_recovery_point(&self, offset: i64) {
        self.recovery_point.store(offset, Ordering::Release);
    }

    pub(crate) fn set_log_start(&self, offset: i64) {
        self.log_start.store(offset, Ordering::Release);
    }

    pub(crate) fn set_high_watermark(&self, offset: i64) {
        self.high_watermark.store(offset, Ordering::Release);
    }

    pub(crate) fn recovery_point(&self) -> Option<i64> {
        known(&self.recovery_point)
    }

    pub(crate) fn log_start(&self) -> Option<i64> {
        known(&self.log_start)
    }

    pub(crate) fn high_watermark(&self) -> Option<Offset> {
        known(&self.high_watermark).map(Offset)
    }
}

fn known(offset: &AtomicI64) -> Option<i64> {
    Some(offset.load(Ordering::Acquire)).filter(|offset| *offset >= 0)
}

/// The checkpoint files of one directory.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    root: PathBuf,
    partitions: Mutex<BTreeMap<TopicPartition, Arc<Progress>>>,
    /// The text of each file as it is on disk; also serialises writing.
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    recovery_points: String,
    log_starts: String,
    high_watermarks: String,
    /// The file of high watermarks was written since it was last synced.
    high_watermarks_unsynced: bool,
    /// The files were written since they were read: what they said then may have been in the page cache only.
    is_settled: bool,
    /// Recovery points that are on disk.
    durable: BTreeMap<TopicPartition, i64>,
    /// Partitions that are gone, but may still be on disk.
    stale: BTreeSet<TopicPartition>,
}

/// What becomes of the high watermarks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Sync,
    LeaveToSystem,
}

type Offsets = BTreeMap<TopicPartition, i64>;

impl Checkpoints {
    /// Reads the files; a damaged one counts as empty, which costs a longer recovery and nothing else.
    pub(crate) fn open(disk: &dyn Disk, root: &Path) -> io::Result<Self> {
        let recovery_points = read(disk, &root.join(RECOVERY_POINTS))?;
        let mut partitions: BTreeMap<TopicPartition, Arc<Progress>> = BTreeMap::new();
        let mut fill = |offsets: &Offsets, set: fn(&Progress, i64)| {
            for (partition, offset) in offsets {
                set(partitions.entry(partition.clone()).or_default(), *offset);
            }
        };
        fill(&recovery_points, Progress::set_recovery_point);
        fill(&read(disk, &root.join(LOG_STARTS))?, Progress::set_log_start);
        fill(&read(disk, &root.join(HIGH_WATERMARKS))?, Progress::set_high_watermark);
        Ok(Self {
            root: root.to_owned(),
            partitions: Mutex::new(partitions),
            written: Mutex::new(Written { durable: recovery_points, ..Written::default() }),
        })
    }

    /// The partition's offsets; shared with its log.
    pub(crate) fn progress(&self, partition: &TopicPartition) -> Arc<Progress> {
        Arc::clone(self.partitions.lock().entry(partition.clone()).or_default())
    }

    /// The partition is gone, or starts anew: nothing on disk may speak of the old one once this returns.
    pub(crate) fn forget(&self, disk: &dyn Disk, partition: &TopicPartition) -> io::Result<Arc<Progress>> {
        let fresh = Arc::new(Progress::default());
        let old = self.partitions.lock().insert(partition.clone(), Arc::clone(&fresh));
        let is_written = {
            let mut written = self.written.lock();
            if old.is_some_and(|old| old.log_start().is_some() || old.high_watermark().is_some()) {
                // Until a write succeeds: this one may not.
                written.stale.insert(partition.clone());
            }
            written.durable.contains_key(partition) || written.stale.contains(partition)
        };
        if is_written {
            self.write(disk)?;
        }
        Ok(fresh)
    }

    /// The partition is gone: nothing more is written of it. What is on disk goes with the next write, or with
    /// [`Checkpoints::forget`].
    pub(crate) fn abandon(&self, partition: &TopicPartition) {
        self.partitions.lock().remove(partition);
        self.written.lock().stale.insert(partition.clone());
    }

    /// Before a log is cut to `offset`: no recovery point beyond it may be on disk, or the cut would look like damage.
    /// Writes what else has changed.
    pub(crate) fn lower(&self, disk: &dyn Disk, partition: &TopicPartition, offset: i64) -> io::Result<()> {
        let progress = self.progress(partition);
        if progress.recovery_point().is_some_and(|point| point > offset) {
            progress.set_recovery_point(offset);
        }
        // The log's start may have been lowered too; what did not change is not written.
        self.write(disk)
    }

    /// Writes what changed. Returns when it is durable.
    pub(crate) fn write(&self, disk: &dyn Disk) -> io::Result<()> {
        self.write_and(disk, Marks::Sync)
    }

    /// Like [`Checkpoints::write`], but does not wait for the high watermarks, which always move: one that is older, or none,
    /// only makes a start as careful as it has to be anyway, and a sync each second holds up the appends of the whole file
    /// system.
    pub(crate) fn write_regularly(&self, disk: &dyn Disk) -> io::Result<()> {
        self.write_and(disk, Marks::LeaveToSystem)
    }

    fn write_and(&self, disk: &dyn Disk, how: Marks) -> io::Result<()> {
        let mut written = self.written.lock();
        let written = &mut *written;
        let (mut points, mut starts, mut marks) = (Offsets::new(), Offsets::new(), Offsets::new());
        for (partition, progress) in &*self.partitions.lock() {
            let put = |offsets: &mut Offsets, offset: Option<i64>| {
                offset.map(|offset| offsets.insert(partition.clone(), offset))
            };
            put(&mut points, progress.recovery_point());
            // Kafka leaves out what the files' names tell; 0 is always such.
            put(&mut starts, progress.log_start().filter(|start| *start > 0));
            put(&mut marks, progress.high_watermark().map(|mark| mark.0));
        }
        let replace = |name, written: &mut String, offsets| {
            self.replace(disk, name, written, offsets, text_file::replace)
        };
        replace(LOG_STARTS, &mut written.log_starts, &starts)?;
        match how {
            Marks::Sync => {
                if written.high_watermarks_unsynced {
                    written.high_watermarks.clear();
                }
                replace(HIGH_WATERMARKS, &mut written.high_watermarks, &marks)?;
                written.high_watermarks_unsynced = false;
                written.stale.clear();
            }
            Marks::LeaveToSystem => {
                let known = &mut written.high_watermarks;
                written.high_watermarks_unsynced |=
                    self.replace(disk, HIGH_WATERMARKS, known, &marks, text_file::replace_unsynced)?;
            }
        }
        replace(RECOVERY_POINTS, &mut written.recovery_points, &points)?;
        written.durable = points;
        written.is_settled = true;
        Ok(())
    }

    /// Before anything is promised on top of what the files said at the start: makes that durable.
    pub(crate) fn settle(&self, disk: &dyn Disk) -> io::Result<()> {
        let is_settled = self.written.lock().is_settled;
        if is_settled { Ok(()) } else { self.write(disk) }
    }

    /// Puts `offsets` in place of what was written, if they differ; whether they do.
    fn replace(
        &self,
        disk: &dyn Disk,
        name: &str,
        written: &mut String,
        offsets: &Offsets,
        put: fn(&dyn Disk, &Path, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        let text = to_text(offsets);
        let differs = text != *written;
        if differs {
            // Until it is known to be there, nothing is.
            written.clear();
            put(disk, &self.root.join(name), text.as_bytes())?;
            *written = text;
        }
        Ok(differs)
    }
}

/// Version, count, one `topic partition offset` a line.
fn to_text(offsets: &Offsets) -> String {
    let mut text = format!("0\n{}\n", offsets.len());
    for (TopicPartition { topic, partition }, offset) in offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    text
}

fn parse(text: &str) -> Option<Offsets> {
    let mut lines = text.lines();
    if lines.next()? != "0" {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let mut offsets = Offsets::new();
    for line in lines {
        let mut words = line.split(' ');
        let (topic, index, offset) = (words.next()?, words.next()?, words.next()?);
        let partition = TopicPartition::new(topic, index.parse::<i32>().ok()?);
        offsets.insert(partition, offset.parse().ok()?);
    }
    (offsets.len() == count).then_some(offsets)
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Offsets> {
    let Some(bytes) = text_file::read(disk, path, MAX_BYTES)? else { return Ok(Offsets::new()) };
    Ok(std::str::from_utf8(&bytes).ok().and_then(parse).unwrap_or_else(|| {
        tracing::warn!(path = %path.display(), "checkpoint file is damaged; it is ignored and written anew");
        Offsets::new()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ottla_simdisk::SimDisk;

    #[test]
    fn text_is_kafkas() {
        let text = "0\n2\na 0 5\nb.c 12 900\n";
        let offsets = parse(text).unwrap();
        assert_eq!(offsets.get(&TopicPartition::new("b.c", 12)), Some(&900));
        assert_eq!(to_text(&offsets), text);
        for damaged in ["", "0\n1\n", "0\n1\na 0\n", "2\n0\n"] {
            assert_eq!(parse(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn offsets_come_back_after_power_loss() {
        let disk = SimDisk::new(3);
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        let (a, b) = (TopicPartition::new("a", 0), TopicPartition::new("b", 0));
        checkpoints.progress(&a).set_recovery_point(10);
        checkpoints.progress(&b).set_recovery_point(20);
        checkpoints.progress(&b).set_log_start(5);
        checkpoints.write(&disk).unwrap();
        checkpoints.lower(&disk, &a, 7).unwrap();
        checkpoints.forget(&disk, &b).unwrap();
        disk.crash();
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        assert_eq!(checkpoints.progress(&a).recovery_point(), Some(7));
        assert_eq!(checkpoints.progress(&b).recovery_point(), None);
        assert_eq!(checkpoints.progress(&b).log_start(), None);
    }

    #[test]
    fn what_could_not_be_forgotten_for_lack_of_space_is_forgotten_later() {
        let disk = SimDisk::new(3);
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        let a = TopicPartition::new("a", 0);
        checkpoints.progress(&a).set_log_start(21);
        checkpoints.write(&disk).unwrap();
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        disk.inject(ottla_simdisk::Fault::no_space(ottla_simdisk::Op::Write));
        assert!(checkpoints.forget(&disk, &a).is_err());
        checkpoints.forget(&disk, &a).unwrap();
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        assert_eq!(checkpoints.progress(&a).log_start(), None);
    }

    #[test]
    fn high_watermarks_alone_are_not_synced_regularly() {
        let disk = SimDisk::new(3);
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        let a = TopicPartition::new("a", 0);
        checkpoints.progress(&a).set_recovery_point(10);
        checkpoints.write_regularly(&disk).unwrap();
        let syncs = disk.counters().syncs;
        checkpoints.progress(&a).set_high_watermark(12);
        checkpoints.write_regularly(&disk).unwrap();
        assert_eq!(disk.counters().syncs, syncs);
        // The text is the same, and not durable yet.
        checkpoints.write(&disk).unwrap();
        disk.crash();
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        assert_eq!(checkpoints.progress(&a).high_watermark(), Some(Offset(12)));
        assert_eq!(checkpoints.progress(&a).recovery_point(), Some(10));
    }

    #[test]
    fn nothing_is_written_when_nothing_changed() {
        let disk = SimDisk::new(3);
        let checkpoints = Checkpoints::open(&disk, Path::new("/")).unwrap();
        checkpoints.progress(&TopicPartition::new("a", 0)).set_recovery_point(10);
        checkpoints.write(&disk).unwrap();
        let before = disk.mutations();
        checkpoints.write(&disk).unwrap();
        assert_eq!(disk.mutations(), before);
    }
}
