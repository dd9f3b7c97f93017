//! Bad files: whatever happens to one file of a directory between two starts, what is served is what was written, and what
//! is not served is told, with file and place. `OTTLA_DAMAGES=100000` tries more than an ordinary test run.
//!
//! What no checksum covers, and so cannot be told: a digit of a checkpoint that makes another one (see `Kind`), and the
//! offset of a batch that is read along with those before it. Whoever reads has to see to it that batches follow each other, as
//! the reader here does; asked for by itself, such a batch is an error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ottla_env::{Disk, OpenOptions, Rng, SeededRng};
use ottla_types::BrokerEpoch;

use super::*;
use crate::ReadError;

/// How the directory was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Closed,
    /// The process died: some of it was flushed since the last checkpoint, some not at all.
    Killed,
}

/// What a file is for, and so what its loss may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Batches: an error or a loss that names the file and the place.
    Segment,
    /// Rebuilt.
    OffsetIndex,
    /// Rebuilt; what is found by time may be late if an entry was changed into one that fits.
    TimeIndex,
    /// Rebuilt, or an older one is used.
    Snapshot,
    /// Rebuilt; a changed digit that keeps the order is believed.
    Epochs,
    /// Without it nobody knows whose the folder is.
    PartitionMetadata,
    /// A recovery point beyond the log's end is damage of the log, as far as anybody can tell.
    RecoveryPoints,
    /// A log start within the log is believed, as one beyond it after a crash.
    LogStarts,
    HighWatermarks,
    /// Refused if it is not what was written.
    Partitions,
    /// Refused if it names nobody, or somebody else.
    MetaProperties,
    CleanShutdown,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        Some(match name {
            "leader-epoch-checkpoint" => Self::Epochs,
            "partition.metadata" => Self::PartitionMetadata,
            "recovery-point-offset-checkpoint" => Self::RecoveryPoints,
            "log-start-offset-checkpoint" => Self::LogStarts,
            "replication-offset-checkpoint" => Self::HighWatermarks,
            "ottla-partitions" => Self::Partitions,
            "meta.properties" => Self::MetaProperties,
            ".kafka_cleanshutdown" => Self::CleanShutdown,
            _ if name.ends_with(".log") => Self::Segment,
            _ if name.ends_with(".index") => Self::OffsetIndex,
            _ if name.ends_with(".timeindex") => Self::TimeIndex,
            _ if name.ends_with(".snapshot") => Self::Snapshot,
            _ => return None,
        })
    }
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1200,
        index_interval_bytes: 200,
        // Snapshots at rolls only: there are batches behind the newest that the checkpoint knows as synced.
        snapshot_interval_bytes: 1 << 20,
        tail_cache_bytes: 0,
        ..LogConfig::default()
    }
}

const TOPICS: [&str; 2] = ["t", "u"];

/// A directory with two partitions, and what is in them.
struct Original {
    disk: SimDisk,
    ending: Ending,
    /// Offset → value, of both partitions; the timestamp is `NOW` and the offset.
    records: BTreeMap<i64, String>,
    epochs: BTreeMap<i64, i32>,
    start: i64,
    flushed: i64,
    last_batch: Bytes,
    last_epoch: i32,
    files: Vec<(Kind, PathBuf)>,
}

impl Original {
    fn new(ending: Ending, start: i64) -> Self {
        let disk = SimDisk::new(5);
        let (dir, _) = open_dir(&disk);
        let mut made = Self {
            disk: disk.clone(),
            ending,
            records: BTreeMap::new(),
            epochs: BTreeMap::new(),
            start,
            flushed: 0,
            last_batch: Bytes::new(),
            last_epoch: 0,
            files: Vec::new(),
        };
        let mut logs: Vec<Log> =
            TOPICS.iter().map(|topic| dir.create_log(&partition(topic), config()).unwrap()).collect();
        for i in 0..45 {
            made.append(&mut logs, i);
            if matches!(i, 10 | 20 | 30 | 38) {
                logs.iter_mut().for_each(|log| made.flushed = log.flush().unwrap().0);
            }
            if i == 30 {
                logs.iter_mut().for_each(|log| log.record_high_watermark(log.flushed_offset()));
                logs.iter_mut()
                    .for_each(|log| assert_eq!(log.delete_records_before(Offset(start)).unwrap().0, start));
                dir.write_checkpoints().unwrap();
            }
            if i == 38 && start == 0 {
                dir.write_checkpoints().unwrap();
            }
        }
        if ending == Ending::Closed {
            logs.iter_mut().for_each(|log| log.close().unwrap());
            dir.close(BrokerEpoch(3)).unwrap();
            made.flushed = logs[0].log_end_offset().0;
        }
        drop((logs, dir));
        disk.restart_process();
        for folder in ["/data", "/data/t-0", "/data/u-0"] {
            let files = disk.list(Path::new(folder)).unwrap().into_iter().filter(|entry| !entry.is_dir);
            let paths = files.map(|entry| Path::new(folder).join(entry.name));
            made.files.extend(paths.filter_map(|path| Some((Kind::of(&path)?, path))));
        }
        made
    }

    fn append(&mut self, logs: &mut [Log], i: i32) {
        let next = logs[0].log_end_offset().0;
        let epoch = i / 8;
        let count = 1 + i64::from(i % 3);
        let mut builder = BatchBuilder::new();
        builder.set_producer(ProducerId(7), ProducerEpoch(0), i32::try_from(next).unwrap());
        for offset in next..next + count {
            let value = format!("{offset} {}", "x".repeat(30 + (i as usize % 4) * 40));
            builder.append(NOW + offset, None, Some(value.as_bytes()), &[]).unwrap();
            self.records.insert(offset, value);
            self.epochs.insert(offset, epoch);
        }
        (self.last_batch, self.last_epoch) = (builder.build().unwrap(), epoch);
        for log in logs {
            log.start_leader_epoch(LeaderEpoch(epoch));
            log.append_as_leader(self.last_batch.clone(), &how(epoch)).unwrap();
        }
    }
}

/// What happened to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip { at: u64, mask: u8 },
    Truncate(u64),
    Delete,
    Garbage(Vec<u8>),
}

struct Case<'a> {
    original: &'a Original,
    disk: SimDisk,
    kind: Kind,
    path: PathBuf,
    damage: Damage,
}

/// What became of the cases of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    unharmed: u32,
    told: u32,
}

impl<'a> Case<'a> {
    fn draw(originals: &'a [Original], seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let mut below = |n: usize| usize::try_from(rng.below(n.max(1) as u64)).unwrap();
        let original = &originals[below(originals.len())];
        // Each kind as often as the other, and of each kind any file.
        let kinds: Vec<Kind> =
            original.files.iter().map(|(kind, _)| *kind).collect::<BTreeSet<_>>().into_iter().collect();
        // Of segments there is most to see.
        let kind = if below(3) == 0 { Kind::Segment } else { kinds[below(kinds.len())] };
        let of_kind: Vec<_> = original.files.iter().filter(|(k, _)| *k == kind).collect();
        let path = of_kind[below(of_kind.len())].1.clone();
        let len = original.disk.open(&path, OpenOptions::READ).unwrap().len().unwrap();
        let at = below(usize::try_from(len).unwrap()) as u64;
        let damage = match below(4) {
            0 if len > 0 => Damage::Flip { at, mask: 1 << below(8) },
            1 if len > 0 => Damage::Truncate(at),
            2 => Damage::Delete,
            _ => Damage::Garbage((0..1 + below(100)).map(|_| u8::try_from(below(256)).unwrap()).collect()),
        };
        let disk = original.disk.fork(seed);
        match &damage {
            Damage::Flip { at, mask } => disk.corrupt(&path, *at, *mask).unwrap(),
            Damage::Truncate(len) => disk.open(&path, OpenOptions::WRITE).unwrap().set_len(*len).unwrap(),
            Damage::Delete => disk.remove_file(&path).unwrap(),
            Damage::Garbage(bytes) => {
                disk.open(&path, OpenOptions::WRITE).unwrap().write_all_at(bytes, len).unwrap()
            }
        }
        Self { original, disk, kind, path, damage }
    }

    /// Opens the directory and reads everything. Whether something was told.
    fn run(&self) -> bool {
        let (dir, report) = match LogDir::open(Arc::new(self.disk.clone()), Path::new("/data"), &options()) {
            Ok(opened) => opened,
            Err(e) => {
                assert!(matches!(self.kind, Kind::Partitions | Kind::MetaProperties), "{e}");
                let name = self.path.file_name().unwrap().to_str().unwrap();
                let text = e.to_string();
                assert!(text.contains(name) || text.contains("log directory /data belongs to"), "{text}");
                return true;
            }
        };
        let is_ours =
            |found: &crate::FoundPartition| TOPICS.iter().any(|topic| found.partition == partition(topic));
        if self.kind != Kind::PartitionMetadata {
            assert!(report.partitions.iter().all(is_ours), "{:?}", report.partitions);
        }
        let told: Vec<bool> = TOPICS.iter().map(|topic| self.check_partition(&dir, &report, topic)).collect();
        told.contains(&true)
    }

    fn check_partition(&self, dir: &LogDir, report: &OpenReport, topic: &str) -> bool {
        let (id, folder) = (partition(topic), Path::new("/data").join(format!("{topic}-0")));
        let is_hit = self.path.starts_with(&folder);
        let found = report.partitions.iter().find(|found| found.partition == id);
        if let Some(damaged) = found.unwrap_or_else(|| panic!("{topic} is forgotten")).damaged.as_ref() {
            assert!(is_hit && self.kind == Kind::PartitionMetadata, "{damaged}");
            let error = dir.open_log(&id, config(), NOW).unwrap_err().to_string();
            assert!(error.contains(folder.to_str().unwrap()), "{error}");
            return true;
        }
        let mut log = match dir.open_log(&id, config(), NOW) {
            Ok(log) => log,
            Err(e) => {
                let text = e.to_string();
                self.nothing_is_cut(&folder);
                match self.kind {
                    Kind::Segment if is_hit => self.names_the_place(&text),
                    Kind::RecoveryPoints => assert!(text.contains("was synced up to"), "{text}"),
                    _ => panic!("{text}"),
                }
                return true;
            }
        };
        let mut told = !log.losses().is_empty();
        let may_hurt = is_hit || self.path.parent() == Some(Path::new("/data"));
        assert!(may_hurt || !told, "{topic}: {:?}", log.losses());
        for max_bytes in [1, 700, 1 << 20] {
            told |= self.read_all(&mut log, max_bytes, is_hit);
        }
        self.look_up(&mut log, is_hit);
        let lacks_batches = is_hit && self.kind == Kind::Segment;
        if !told && !lacks_batches {
            self.goes_on(dir, log, &id);
        }
        told
    }

    /// What is damaged may be all that is left: nobody takes anything away from it.
    fn nothing_is_cut(&self, folder: &Path) {
        let is_segment = |path: &Path| Kind::of(path) == Some(Kind::Segment) && path.starts_with(folder);
        let segments = self.original.files.iter().filter(|(_, path)| is_segment(path));
        for (_, path) in segments {
            let len = |disk: &SimDisk| disk.open(path, OpenOptions::READ).and_then(|file| file.len()).ok();
            let before = match &self.damage {
                _ if *path != self.path => len(&self.original.disk),
                Damage::Flip { .. } => len(&self.original.disk),
                Damage::Truncate(len) => Some(*len),
                Damage::Delete => None,
                Damage::Garbage(bytes) => len(&self.original.disk).map(|len| len + bytes.len() as u64),
            };
            assert_eq!(len(&self.disk), before, "{}", path.display());
        }
    }

    fn names_the_place(&self, text: &str) {
        let folder = self.path.parent().unwrap().to_str().unwrap();
        assert!(text.contains(folder), "{text}");
        assert!(text.contains("offset"), "{text}");
        // A segment that is not there is known by the one behind it.
        let name = self.path.file_name().unwrap().to_str().unwrap();
        assert!(
            text.contains(name)
                || text.contains(".log")
                || matches!(self.damage, Damage::Delete | Damage::Truncate(_)),
            "{text}"
        );
    }

    /// Reads as a consumer does: checks checksums, and that batches follow each other. Whether something was told.
    fn read_all(&self, log: &mut Log, max_bytes: u64, is_hit: bool) -> bool {
        let Original { records, flushed, start, ending, .. } = self.original;
        let (mut next, end) = (log.log_start_offset().0, log.log_end_offset());
        let mut missing = BTreeSet::new();
        let mut read = BTreeSet::new();
        while next < end.0 {
            let result = match log.read(Offset(next), max_bytes, end, true) {
                Ok(result) => result,
                Err(ReadError::Storage(e)) => {
                    let text = e.to_string();
                    assert!(is_hit && self.kind == Kind::Segment, "{text}");
                    assert!(text.contains(self.path.to_str().unwrap()) || text.contains(".log"), "{text}");
                    assert!(text.contains("position") || text.contains("offset"), "{text}");
                    missing.insert(next);
                    next += 1;
                    continue;
                }
                Err(e) => panic!("{e}"),
            };
            assert!(!result.is_empty(), "nothing to read at {next} of {end}");
            let before = next;
            // A file may have become shorter than it was when it was opened, not than its batches.
            for batch in batches(&result.load().unwrap()) {
                // What is torn or does not follow is asked for again.
                let Ok(batch) = batch else { break };
                // The first may begin before what was asked for.
                let base = batch.header().base_offset.0;
                let follows = base == next || next == before && base < next && batch.next_offset().0 > next;
                if !follows || batch.check_crc().is_err() {
                    break;
                }
                for record in batch.records(1 << 20).unwrap() {
                    let record = record.unwrap();
                    let value = std::str::from_utf8(record.value.as_ref().unwrap()).unwrap();
                    assert_eq!(
                        records.get(&record.offset.0).map(String::as_str),
                        Some(value),
                        "at {}",
                        record.offset
                    );
                    assert_eq!(record.timestamp, NOW + record.offset.0);
                    read.insert(record.offset.0);
                }
                next = batch.next_offset().0;
            }
            if next == before {
                // The consumer finds out by the checksum, as with Kafka: nothing was served for what it is not.
                assert!(is_hit && self.kind == Kind::Segment, "no progress at {next}");
                missing.insert(next);
                next += 1;
            }
        }
        let first = match self.kind {
            Kind::LogStarts => log.log_start_offset().0,
            _ => *start,
        };
        let is_told = |offset: i64| log.losses().iter().any(|loss| loss.from.0 <= offset);
        // A process that dies takes nothing away; but of an end that was never synced nobody knows that it was there.
        let may_lack_end = *ending == Ending::Killed
            && is_hit
            && self.kind == Kind::Segment
            && matches!(self.damage, Damage::Truncate(_) | Damage::Delete);
        let last = if may_lack_end { *flushed } else { records.len() as i64 };
        for offset in first..last {
            let there = read.contains(&offset) || missing.contains(&offset) || is_told(offset);
            assert!(there, "{offset} of {first}..{last} is missing silently: {:?}", log.losses());
        }
        for loss in log.losses() {
            let name = loss.path.to_str().unwrap();
            assert!(name.ends_with(".log") || name.ends_with("-checkpoint"), "{loss}");
        }
        !missing.is_empty() || !log.losses().is_empty()
    }

    /// Times and epochs.
    fn look_up(&self, log: &mut Log, is_hit: bool) {
        let (start, end) = (log.log_start_offset().0, log.log_end_offset().0);
        let is_batch = is_hit && self.kind == Kind::Segment;
        for offset in (start..end).step_by(7) {
            match log.offset_for_timestamp(NOW + offset) {
                Ok(Some(found)) if !is_batch => {
                    assert_eq!(found.timestamp_ms, NOW + found.offset.0);
                    let may_be_late = is_hit && self.kind == Kind::TimeIndex;
                    assert!(
                        found.offset.0 == offset || may_be_late && found.offset.0 > offset,
                        "{found:?}, not {offset}"
                    );
                }
                Ok(None) if !is_batch => {
                    assert!(is_hit && self.kind == Kind::TimeIndex, "nothing at {offset}")
                }
                Ok(_) => {}
                Err(e) => assert!(is_batch, "{e}"),
            }
        }
        log.max_timestamp_offset().map_or_else(|e| assert!(is_batch, "{e}"), |_| ());
        let changed_digit = is_hit && self.kind == Kind::Epochs && matches!(self.damage, Damage::Flip { .. });
        for offset in start..end {
            let epoch = log.epoch_at(Offset(offset)).map(|epoch| epoch.0);
            if !is_batch && !changed_digit {
                assert_eq!(epoch, self.original.epochs.get(&offset).copied(), "epoch at {offset}");
            }
        }
    }

    /// The last batch is known to be there, and what is appended follows it.
    fn goes_on(&self, dir: &LogDir, mut log: Log, id: &TopicIdPartition) {
        let Original { records, last_batch, last_epoch, .. } = self.original;
        let end = log.log_end_offset().0;
        assert_eq!(end, records.len() as i64);
        let how = how(*last_epoch + i32::try_from(end).unwrap());
        let again = log.append_as_leader(last_batch.clone(), &how).unwrap();
        assert!(again.duplicate, "{again:?}");
        log.append_as_leader(batch_at(NOW + end, &["after"]), &how).unwrap();
        log.flush().unwrap();
        drop(log);
        dir.write_checkpoints().unwrap();
        dir.run_deletions(100).unwrap();
        let mut log = dir.open_log(id, config(), NOW).unwrap();
        assert_eq!(log.losses(), []);
        let last = values(&mut log, end);
        assert_eq!(last, [(end, "after".to_owned())]);
    }
}

fn cases() -> u64 {
    from_env("OTTLA_DAMAGES").unwrap_or(10_000)
}

#[test]
fn a_bad_file_is_told_or_made_good_and_nothing_wrong_is_served() {
    let originals = [
        Original::new(Ending::Closed, 0),
        Original::new(Ending::Closed, 9),
        Original::new(Ending::Killed, 0),
        Original::new(Ending::Killed, 9),
    ];
    let first = from_env("OTTLA_SEED");
    let seeds = match first {
        Some(seed) => seed..seed + 1_u64,
        None => 0..cases(),
    };
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let mut failed = Vec::new();
    for seed in seeds {
        let case = Case::draw(&originals, seed);
        let tally = tallies.entry(case.kind).or_default();
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case.run())) {
            Ok(true) => tally.told += 1,
            Ok(false) => tally.unharmed += 1,
            Err(_) => {
                let Case { original, path, damage, .. } = &case;
                eprintln!("OTTLA_SEED={seed}: {:?}, {} {damage:?}", original.ending, path.display());
                failed.push(seed);
                assert!(failed.len() < 3, "seeds {failed:?}");
            }
        }
    }
    assert_eq!(failed, [0_u64; 0], "seeds");
    if first.is_none() {
        assert_eq!(tallies.len(), 12, "{tallies:?}");
        for rebuilt in
            [Kind::OffsetIndex, Kind::TimeIndex, Kind::Snapshot, Kind::Epochs, Kind::HighWatermarks]
        {
            assert_eq!(tallies[&rebuilt].told, 0, "{rebuilt:?}");
        }
        for refused in [Kind::Segment, Kind::PartitionMetadata, Kind::MetaProperties] {
            assert!(tallies[&refused].told > tallies[&refused].unharmed / 4, "{tallies:?}");
        }
    }
    println!("{tallies:#?}");
}
