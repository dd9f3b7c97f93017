//! What happened, as a hash of every step, and on wish as text.

use std::fmt::{self, Write};
use std::time::Duration;

use crate::message::{Address, Message};

/// The steps of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// Keeps the text if `keep`.
    pub(crate) fn new(keep: bool) -> Self {
        // FNV-1a.
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: keep.then(Vec::new) }
    }

    /// Something happened at `now`.
    pub(crate) fn note(&mut self, now: Duration, what: fmt::Arguments<'_>) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>10.3} {what}", now.as_secs_f64() * 1000.0));
        }
        let _ = write!(self, "{}", now.as_nanos());
        let _ = self.write_fmt(what);
    }

    /// A message arrived: its text is only for who reads it.
    pub(crate) fn note_message(&mut self, now: Duration, from: Address, to: Address, message: &Message) {
        if let Some(lines) = &mut self.lines {
            let at = now.as_secs_f64() * 1000.0;
            lines.push(format!("{at:>10.3} {from:?} -> {to:?} #{}: {}", message.call, message.name()));
        }
        for number in [now.as_nanos() as u64, from.host() as u64, to.host() as u64, message.call] {
            self.hash = (self.hash ^ number).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Of all that was noted.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }

    /// The text, if it was kept.
    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines.unwrap_or_default()
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
