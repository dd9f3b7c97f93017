//! What a listener counts. Plain atomics: whoever exports metrics reads them at scrape.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that changes on the hot path and is read at scrape.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes `n` away.
    pub fn sub(&self, n: u64) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one listener (or of one outgoing channel).
#[derive(Debug, Default)]
pub struct NetworkMetrics {
    /// Connections open now.
    pub connections: Count,
    /// Connections accepted.
    pub accepted: Count,
    /// Connections turned away by `max.connections.per.ip`.
    pub rejected: Count,
    /// Failed accepts (descriptors used up, for instance).
    pub accept_errors: Count,
    /// Connections closed for `connections.max.idle.ms`.
    pub closed_idle: Count,
    /// Connections closed because of what the peer sent.
    pub closed_bad_input: Count,
    /// Connections closed by a panic.
    pub closed_panic: Count,
    /// Requests started.
    pub requests: Count,
    /// Bytes read from sockets.
    pub bytes_in: Count,
    /// Bytes written to sockets, files included.
    pub bytes_out: Count,
}
