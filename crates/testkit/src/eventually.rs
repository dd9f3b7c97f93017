//! Waiting for what no event tells a client about.

use std::thread;
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// Asks `probe` until it gives a value; panics with `what` when it never does. For facts that a client can only ask
/// about again, such as a change of metadata on its way to a broker.
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(Instant::now() < deadline, "{what}: not within {} s", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(2));
    }
}
