//! What is told again and again is told once in a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The same text is news again after this.
const FOR: Duration = Duration::from_secs(10);

/// The last text that was told.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<Option<(String, Instant)>>);

impl Repeats {
    /// Whether to tell `text`: it is another one than the last, or that was some time ago.
    pub(crate) fn is_news(&self, text: &str) -> bool {
        let mut last = self.0.lock();
        if last.as_ref().is_some_and(|(told, at)| told == text && at.elapsed() < FOR) {
            return false;
        }
        *last = Some((text.to_owned(), Instant::now()));
        true
    }
}
