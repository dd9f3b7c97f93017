//! What is known of each partition's offsets after a restart: `recovery-point-offset-checkpoint`,
//! `log-start-offset-checkpoint`, `replication-offset-checkpoint`, `cleaner-offset-checkpoint`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use ottla_env::Disk;
use ottla_types::{Offset, TopicPartition};
use parking_lot::Mutex;

use crate::text_file;

pub(crate) const MAX_BYTES: usize = 1 << 30;

/// A file with one offset for each of a directory's partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetCheckpoint {
    /// Below it everything was synced.
    RecoveryPoint,
    /// Where a log starts, if the names of its segments do not tell.
    LogStart,
    /// The high watermark.
    HighWatermark,
    /// Up to where a compacted log is clean.
    Cleaner,
}

impl OffsetCheckpoint {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RecoveryPoint, Self::LogStart, Self::HighWatermark, Self::Cleaner];

    /// Its name in the directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::LogStart => "log-start-offset-checkpoint",
            Self::HighWatermark => "replication-offset-checkpoint",
            Self::Cleaner => "cleaner-offset-checkpoint",
        }
    }

    /// The least offset that is written. Kafka leaves out log starts that the files' names tell; 0 is always such.
    const fn least(self) -> i64 {
        if matches!(self, Self::LogStart) { 1 } else { 0 }
    }
}

/// Which files are behind what is known. Idle partitions cost no writes, nor a look at each.
#[derive(Debug)]
struct Behind([AtomicBool; 4]);

impl Behind {
    fn mark(&self, kind: OffsetCheckpoint) {
        self.0[kind as usize].store(true, Ordering::Release);
    }

    fn mark_all(&self) {
        OffsetCheckpoint::ALL.into_iter().for_each(|kind| self.mark(kind));
    }

    fn take(&self, kind: OffsetCheckpoint) -> bool {
        self.0[kind as usize].swap(false, Ordering::AcqRel)
    }
}

/// One partition's offsets as they will be written next; −1: nothing to write. Set by its log, read by whoever writes.
#[derive(Debug)]
pub(crate) struct Progress {
    offsets: [AtomicI64; 4],
    /// The files may speak of it.
    is_written: AtomicBool,
    /// `None`: it is not to be written.
    behind: Option<Arc<Behind>>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Progress {
    fn new(behind: Option<Arc<Behind>>) -> Self {
        Self { offsets: [const { AtomicI64::new(-1) }; 4], is_written: AtomicBool::new(false), behind }
    }

    fn set(&self, kind: OffsetCheckpoint, offset: i64) {
        if self.offsets[kind as usize].swap(offset, Ordering::AcqRel) != offset {
            self.behind.iter().for_each(|behind| behind.mark(kind));
        }
    }

    fn get(&self, kind: OffsetCheckpoint) -> Option<i64> {
        Some(self.offsets[kind as usize].load(Ordering::Acquire)).filter(|offset| *offset >= 0)
    }

    pub(crate) fn set_recovery_point(&self, offset: i64) {
        self.set(OffsetCheckpoint::RecoveryPoint, offset);
    }

    pub(crate) fn set_log_start(&self, offset: i64) {
        self.set(OffsetCheckpoint::LogStart, offset);
    }

    pub(crate) fn set_high_watermark(&self, offset: i64) {
        self.set(OffsetCheckpoint::HighWatermark, offset);
    }

    /// Below this compaction has been.
    pub(crate) fn set_cleaned(&self, offset: i64) {
        self.set(OffsetCheckpoint::Cleaner, offset);
    }

    pub(crate) fn cleaned(&self) -> Option<i64> {
        self.get(OffsetCheckpoint::Cleaner)
    }

    pub(crate) fn recovery_point(&self) -> Option<i64> {
        self.get(OffsetCheckpoint::RecoveryPoint)
    }

    pub(crate) fn log_start(&self) -> Option<i64> {
        self.get(OffsetCheckpoint::LogStart)
    }

    pub(crate) fn high_watermark(&self) -> Option<Offset> {
        self.get(OffsetCheckpoint::HighWatermark).map(Offset)
    }
}

/// The checkpoint files of one directory.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    root: PathBuf,
    partitions: Mutex<BTreeMap<TopicPartition, Arc<Progress>>>,
    behind: Arc<Behind>,
    /// Serialises writing.
    written: Mutex<Written>,
}

#[derive(Debug, Default)]
struct Written {
    /// The files of high watermarks and of what was cleaned were written since they were last synced.
    marks_unsynced: bool,
    /// The files were written since they were read: what they said then may have been in the page cache only.
    is_settled: bool,
    /// Partitions that are gone, but may still be on disk.
    stale: BTreeSet<TopicPartition>,
}

/// What becomes of the high watermarks, and of what was cleaned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    Sync,
    LeaveToSystem,
}

pub(crate) type Offsets = BTreeMap<TopicPartition, i64>;

impl Checkpoints {
    /// Reads the files; a damaged one counts as empty, which costs a longer recovery and nothing else.
    pub(crate) fn open(disk: &dyn Disk, root: &Path) -> io::Result<Self> {
        // The first write writes all.
        let behind = Arc::new(Behind([const { AtomicBool::new(true) }; 4]));
        let mut partitions: BTreeMap<TopicPartition, Arc<Progress>> = BTreeMap::new();
        for kind in OffsetCheckpoint::ALL {
            for (partition, offset) in read(disk, &root.join(kind.file_name()))? {
                let new = || Arc::new(Progress::new(Some(Arc::clone(&behind))));
                let progress = partitions.entry(partition).or_insert_with(new);
                progress.is_written.store(true, Ordering::Relaxed);
                progress.set(kind, offset);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            partitions: Mutex::new(partitions),
            behind,
            written: Mutex::default(),
        })
    }

    fn new_progress(&self) -> Arc<Progress> {
        Arc::new(Progress::new(Some(Arc::clone(&self.behind))))
    }

    /// The partition's offsets; shared with its log.
    pub(crate) fn progress(&self, partition: &TopicPartition) -> Arc<Progress> {
        let mut partitions = self.partitions.lock();
        Arc::clone(partitions.entry(partition.clone()).or_insert_with(|| self.new_progress()))
    }

    /// The partition is gone, or starts anew: nothing on disk may speak of the old one once this returns.
    pub(crate) fn forget(&self, disk: &dyn Disk, partition: &TopicPartition) -> io::Result<Arc<Progress>> {
        let fresh = self.new_progress();
        let old = self.partitions.lock().insert(partition.clone(), Arc::clone(&fresh));
        let is_written = {
            let mut written = self.written.lock();
            if old.is_some_and(|old| old.is_written.load(Ordering::Acquire)) {
                // Until a write succeeds: this one may not.
                written.stale.insert(partition.clone());
            }
            written.stale.contains(partition)
        };
        if is_written {
            self.behind.mark_all();
            self.write(disk)?;
        }
        Ok(fresh)
    }

    /// The partition is gone: nothing more is written of it. What is on disk goes with the next write, or with
    /// [`Checkpoints::forget`].
    pub(crate) fn abandon(&self, partition: &TopicPartition) {
        self.partitions.lock().remove(partition);
        self.written.lock().stale.insert(partition.clone());
        self.behind.mark_all();
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
    /// system. Nor for what was cleaned: what is cleaned twice is the same.
    pub(crate) fn write_regularly(&self, disk: &dyn Disk) -> io::Result<()> {
        self.write_and(disk, Marks::LeaveToSystem)
    }

    fn write_and(&self, disk: &dyn Disk, how: Marks) -> io::Result<()> {
        let mut written = self.written.lock();
        if how == Marks::Sync && written.marks_unsynced {
            self.behind.mark(OffsetCheckpoint::HighWatermark);
            self.behind.mark(OffsetCheckpoint::Cleaner);
        }
        let mut texts = self.texts();
        let mut write = |kind: OffsetCheckpoint,
                         put: fn(&dyn Disk, &Path, &[u8]) -> io::Result<()>|
         -> io::Result<bool> {
            let Some(text) = &texts[kind as usize] else { return Ok(false) };
            put(disk, &self.root.join(kind.file_name()), text.as_bytes())?;
            texts[kind as usize] = None;
            Ok(true)
        };
        let mut write_all = || -> io::Result<()> {
            write(OffsetCheckpoint::LogStart, text_file::replace)?;
            let put = match how {
                Marks::Sync => text_file::replace,
                Marks::LeaveToSystem => text_file::replace_unsynced,
            };
            written.marks_unsynced |= write(OffsetCheckpoint::HighWatermark, put)?;
            written.marks_unsynced |= write(OffsetCheckpoint::Cleaner, put)?;
            write(OffsetCheckpoint::RecoveryPoint, text_file::replace)?;
            if how == Marks::Sync {
                written.marks_unsynced = false;
                written.stale.clear();
            }
            written.is_settled = true;
            Ok(())
        };
        let result = write_all();
        // What was not written is still to be.
        OffsetCheckpoint::ALL
            .into_iter()
            .filter(|kind| texts[*kind as usize].is_some())
            .for_each(|k| self.behind.mark(k));
        result
    }

    /// The files that are behind, as they shall be: all as of one moment.
    fn texts(&self) -> [Option<String>; 4] {
        let partitions = self.partitions.lock();
        OffsetCheckpoint::ALL.map(|kind| {
            self.behind.take(kind).then(|| {
                let offsets = partitions.iter().filter_map(|(partition, progress)| {
                    let offset = progress.get(kind).filter(|offset| *offset >= kind.least())?;
                    progress.is_written.store(true, Ordering::Release);
                    Some((partition, offset))
                });
                to_text(offsets)
            })
        })
    }

    /// Before anything is promised on top of what the files said at the start: makes that durable.
    pub(crate) fn settle(&self, disk: &dyn Disk) -> io::Result<()> {
        let is_settled = self.written.lock().is_settled;
        if is_settled { Ok(()) } else { self.write(disk) }
    }
}

/// Version, count, one `topic partition offset` a line.
pub(crate) fn to_text<'a>(offsets: impl Iterator<Item = (&'a TopicPartition, i64)>) -> String {
    let (mut count, mut lines) = (0, String::new());
    for (TopicPartition { topic, partition }, offset) in offsets {
        count += 1;
        // A string takes all that is written to it.
        let _ = writeln!(lines, "{topic} {partition} {offset}");
    }
    format!("0\n{count}\n{lines}")
}

pub(crate) fn parse(text: &str) -> Option<Offsets> {
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
        assert_eq!(to_text(offsets.iter().map(|(at, offset)| (at, *offset))), text);
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
