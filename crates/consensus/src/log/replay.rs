//! Rebuilds the state of the log from its segments.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_env::File;

use crate::error::StartError;
use crate::log::batch_reader::BatchReader;
use crate::log::frame::{Frame, Start};
use crate::log::memory::{Memory, Place};
use crate::log::recovery::Tail;
use crate::log::segment::{Segment, segment_path};
use crate::log::{LogOptions, Position};

/// The state while reading.
#[derive(Debug)]
pub(super) struct Replay<'a> {
    options: &'a LogOptions,
    pub(super) memory: Memory,
    pub(super) tail: Tail,
    /// Whether the log was closed, so that all of it is known to be on disk.
    pub(super) is_clean: bool,
    /// Bytes behind the last complete batch.
    pub(super) torn: Option<Torn>,
    /// Segments that are not needed: left by an interrupted purge, or never synced.
    pub(super) obsolete: Vec<u64>,
    /// The last entry before the first segment that counts: it must have been purged.
    before: Option<Position>,
    /// Where the numbering of segments jumped.
    gap: Option<(PathBuf, u64)>,
}

/// The tail of a segment that was not synced.
#[derive(Debug)]
pub(super) struct Torn {
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn File>,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl<'a> Replay<'a> {
    pub(super) fn new(options: &'a LogOptions) -> Self {
        Self {
            options,
            memory: Memory::new(options.cache_bytes),
            tail: Tail::default(),
            is_clean: false,
            torn: None,
            obsolete: Vec::new(),
            before: None,
            gap: None,
        }
    }

    /// Reads the next segment.
    pub(super) fn segment(
        &mut self,
        base: u64,
        file: &Arc<dyn File>,
        is_last: bool,
    ) -> Result<(), StartError> {
        let path = segment_path(&self.options.dir, base);
        let continues = !self.tail.segments.is_empty() && base == self.tail.next_number;
        // The first batch of all is number 1.
        let last_batch = if continues || base == 0 { Some(self.tail.batch) } else { None };
        let mut reader = BatchReader::new(&path, file, self.options.directory_id, base, last_batch)?;
        let mut segment = Segment { base, file: Arc::clone(file), max_index: None };

        let Some(first) = reader.next_batch()? else {
            self.judge_rest(&path, &mut reader)?;
            return self.skip(&path, base, is_last, continues);
        };
        if !continues {
            self.start_over(&first);
        }
        let mut next = Some(first);
        while let Some(frames) = next {
            for (frame, place) in frames {
                self.apply(&mut segment, frame, place);
            }
            next = reader.next_batch()?;
        }
        if is_last {
            let to = reader.written_end().map_err(|source| StartError::Io { path: path.clone(), source })?;
            // Room, which is zeros, proves nothing, and is long.
            if to > reader.end {
                self.judge_rest(&path, &mut reader)?;
                self.torn = Some(Torn { path: path.clone(), file: Arc::clone(file), from: reader.end, to });
                self.is_clean = false;
            }
        }
        self.tail.next_number = reader.next_number;
        self.tail.batch = reader.last_batch.unwrap_or_default();
        self.tail.position = reader.end;
        self.tail.room = reader.end + reader.rest_bytes();
        self.tail.segments.push(segment);
        Ok(())
    }

    /// Whether everything between the purged entries and the last one has been found.
    pub(super) fn check_complete(&self) -> Result<(), StartError> {
        let purged = self.memory.state().purged;
        let lost = self.before.filter(|before| purged.is_none_or(|purged| purged.index < before.index));
        let lost = lost.map(|before| before.index).or_else(|| self.memory.hole());
        let Some(index) = lost else { return Ok(()) };
        let (path, position) = self.gap.clone().unwrap_or_else(|| (self.options.dir.clone(), 0));
        Err(StartError::Damaged { path, position, what: format!("log entry {index} is missing") })
    }

    /// Leaves out a segment without a complete batch: its first write was never synced. That can only happen to the
    /// last one, and only right behind the one before.
    fn skip(&mut self, path: &Path, base: u64, is_last: bool, continues: bool) -> Result<(), StartError> {
        if is_last && (continues || base == 0) {
            self.obsolete.push(base);
            return Ok(());
        }
        let what = "no write in it is intact".to_owned();
        Err(StartError::Damaged { path: path.to_owned(), position: 0, what })
    }

    /// Forgets the segments before a jump in the numbering. A purge removes files oldest first, and a power loss may
    /// bring some back; [`Replay::check_complete`] finds out when it was not that.
    fn start_over(&mut self, first: &[(Frame, Place)]) {
        if let Some(last) = self.tail.segments.last() {
            self.gap = Some((segment_path(&self.options.dir, last.base), self.tail.position));
        }
        self.obsolete.extend(self.tail.segments.drain(..).map(|segment| segment.base));
        self.memory.clear();
        if let Some((Frame::Start(Start { last, .. }), _)) = first.first() {
            self.before = *last;
        }
    }

    fn judge_rest(&self, path: &Path, reader: &mut BatchReader<'_>) -> Result<(), StartError> {
        if reader.rest_bytes() == 0 {
            return Ok(());
        }
        let proof = reader
            .find_proof_of_damage()
            .map_err(|source| StartError::Io { path: path.to_owned(), source })?;
        match proof {
            None => Ok(()),
            Some(later) => Err(StartError::Damaged {
                path: path.to_owned(),
                position: reader.end,
                what: format!("an intact later write follows at byte {later}"),
            }),
        }
    }

    fn apply(&mut self, segment: &mut Segment, frame: Frame, place: Place) {
        self.is_clean = matches!(frame, Frame::Clean);
        match frame {
            Frame::Start(start) => {
                self.memory.ballot = start.ballot;
                self.memory.committed = start.committed;
                if let Some(purged) = start.purged {
                    self.memory.purge(purged);
                }
            }
            Frame::Entry(position, kind) => {
                segment.note_entry(position.index);
                self.memory.recovered(position, kind, place);
            }
            Frame::Ballot(ballot) => self.memory.ballot = Some(ballot),
            Frame::Committed(committed) => self.memory.committed = committed,
            Frame::Truncate(last) => self.memory.truncate_after(last),
            Frame::Purge(upto) => self.memory.purge(upto),
            Frame::Clean => {}
        }
    }
}
