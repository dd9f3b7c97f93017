//! What is told again and again is told once in a while.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The same text is news again after this.
const FOR: Duration = Duration::from_secs(10);

/// So many different texts are told meanwhile: whoever makes up ever new ones is not to fill the log.
const MOST: usize = 16;

/// The texts that were told lately.
#[derive(Debug, Default)]
pub(crate) struct Repeats(Mutex<Vec<(String, Instant)>>);

impl Repeats {
    /// Whether to tell `text`: it was not told lately, nor too many others.
    pub(crate) fn is_news(&self, text: &str) -> bool {
        let mut told = self.0.lock();
        told.retain(|(_, at)| at.elapsed() < FOR);
        if told.len() >= MOST || told.iter().any(|(known, _)| known == text) {
            return false;
        }
        told.push((text.to_owned(), Instant::now()));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_told_once_and_ever_new_ones_come_to_an_end() {
        let repeats = Repeats::default();
        assert!(repeats.is_news("a") && repeats.is_news("b"));
        assert!(!repeats.is_news("a") && !repeats.is_news("b"));
        let told = (0..1000).filter(|n| repeats.is_news(&n.to_string())).count();
        assert_eq!(told, MOST - 2);
    }
}
