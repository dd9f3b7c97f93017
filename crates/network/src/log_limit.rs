//! Keeps a peer that misbehaves in a loop from filling the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const WINDOW: Duration = Duration::from_secs(1);

/// At most `per_second` lines in a second; the rest is counted.
#[derive(Debug)]
pub(crate) struct LogLimit {
    per_second: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    window: Option<Instant>,
    logged: u32,
    suppressed: u64,
}

impl LogLimit {
    pub(crate) fn new(per_second: u32) -> Self {
        Self { per_second, state: Mutex::default() }
    }

    /// Whether to log now, and how many lines were left out since the last one.
    pub(crate) fn check(&self) -> Option<u64> {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.window.is_none_or(|start| now.duration_since(start) >= WINDOW) {
            state.window = Some(now);
            state.logged = 0;
        }
        if state.logged >= self.per_second {
            state.suppressed += 1;
            return None;
        }
        state.logged += 1;
        Some(std::mem::take(&mut state.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_beyond_the_limit_are_counted_and_told_later() {
        let limit = LogLimit::new(2);
        assert_eq!(
            [limit.check(), limit.check(), limit.check(), limit.check()],
            [Some(0), Some(0), None, None]
        );
        tokio::time::advance(WINDOW).await;
        assert_eq!([limit.check(), limit.check()], [Some(2), Some(0)]);
    }
}
