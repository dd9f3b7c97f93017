//! Keeps reads that would wait for the disk out of the connection's task, where they would hold up other connections.

use std::fs::File;
use std::io::IoSliceMut;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::task::JoinHandle;

use crate::FileRange;

/// How far apart the pages are that are looked at, and how much is read at a time: the system's usual read-ahead.
const STEP: u64 = 128 * 1024;

/// What is known of the page cache around the front of a file range.
#[derive(Debug, Default)]
pub(crate) struct Residency {
    /// Up to here it has been looked at or read; not asked about again, or an eviction could go on for ever.
    known_to: u64,
    reading: Option<JoinHandle<()>>,
}

impl Residency {
    /// Ready when the first `ahead` bytes of `range` can be read without waiting for the disk, as far as that can be told.
    pub(crate) fn poll_resident(&mut self, cx: &mut Context<'_>, range: &FileRange, ahead: u64) -> Poll<()> {
        if let Some(reading) = &mut self.reading {
            // A failed read shows again where the bytes are sent.
            let _ = ready!(Pin::new(reading).poll(cx));
            self.reading = None;
        }
        if range.position < self.known_to {
            return Poll::Ready(());
        }
        let is_first = self.known_to == 0;
        let chunk = FileRange { len: range.len.min(ahead), ..range.clone() };
        self.known_to = chunk.position + chunk.len;
        if chunk.file.as_std().is_none_or(|file| is_resident(file, &chunk, is_first)) {
            return Poll::Ready(());
        }
        let reading = self.reading.insert(tokio::task::spawn_blocking(move || load(&chunk)));
        ready!(Pin::new(reading).poll(cx)).ok();
        self.reading = None;
        Poll::Ready(())
    }
}

/// Whether the range seems to be in the page cache: a page in each step is, and the last one. If the range `is_first`, its first
/// page says nothing where one step is all: whoever looked for its start has just read it. File systems that cannot tell count as yes.
fn is_resident(file: &File, range: &FileRange, is_first: bool) -> bool {
    let end = range.position + range.len;
    let first = if is_first && range.len <= STEP { end } else { range.position };
    let mut looked_at = (first..end).step_by(STEP as usize).chain(end.checked_sub(1));
    looked_at.all(|position| {
        let mut byte = [0];
        preadv2(file, &mut [IoSliceMut::new(&mut byte)], position, ReadWriteFlags::NOWAIT)
            != Err(Errno::AGAIN)
    })
}

/// Reads the range, so that it is in the page cache.
fn load(range: &FileRange) {
    let mut buffer = vec![0; usize::try_from(STEP.min(range.len)).unwrap_or(0)];
    let (mut position, end) = (range.position, range.position + range.len);
    while position < end {
        match range.file.read_at(&mut buffer, position) {
            Ok(read) if read > 0 => position += read as u64,
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::Arc;

    use rustix::fs::{Advice, fadvise};

    #[tokio::test]
    async fn what_is_not_in_memory_is_read_elsewhere_first() {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        file.sync_all().unwrap();
        let range = FileRange { file: Arc::new(file.try_clone().unwrap()), position: 0, len: 1 << 20 };
        assert!(is_resident(&file, &range, true), "just written");
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        // Some file systems keep it or cannot tell: then there is nothing to wait for, and that must work too.
        let mut residency = Residency::default();
        std::future::poll_fn(|cx| residency.poll_resident(cx, &range, 1 << 20)).await;
        assert!(is_resident(&file, &range, true));
        assert!(residency.reading.is_none() && residency.known_to == 1 << 20);
    }

    #[test]
    fn a_range_whose_start_was_just_read_is_not_taken_for_resident() {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![7; STEP as usize]).unwrap();
        file.sync_all().unwrap();
        let all = FileRange { file: Arc::new(file.try_clone().unwrap()), position: 0, len: STEP };
        // One page is read, without what the system would read ahead.
        fadvise(&file, 0, None, Advice::Random).unwrap();
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        all.file.read_at(&mut [0], 0).unwrap();
        let seems_resident = is_resident(&file, &all, true);
        // To ask for a page has the system read it, so another one tells whether the file system has forgotten any: some do
        // not, or cannot tell.
        let middle = FileRange { position: STEP / 2, len: 1, ..all };
        assert!(is_resident(&file, &middle, false) || !seems_resident);
    }
}
