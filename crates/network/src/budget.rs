//! How many bytes of request bodies all connections together may hold (Kafka's `queued.max.request.bytes`).

use std::sync::Arc;

use crate::Lease;
use crate::share::Share;

/// The longest body that counts as short. It is read ahead of its admission, so nobody holds bytes of the short share while
/// the rest of a body is still to come.
pub(crate) const SHORT: usize = 32 * 1024;
/// The part of the whole that is kept for short bodies: an eighth.
const SHORT_PART: usize = 8;

/// The bytes that requests in memory may take up, shared by all connections of a process.
///
/// Short bodies have a share of their own. Among them is all that keeps groups, sessions and connections alive: none of it
/// waits behind large requests that are slow to arrive.
#[derive(Debug)]
pub struct RequestBudget {
    short: Arc<Share>,
    long: Arc<Share>,
}

impl RequestBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Self> {
        let short = limit / SHORT_PART;
        Self::of_shares(short, limit - short)
    }

    /// A budget that admits everything and still counts.
    pub fn unlimited() -> Arc<Self> {
        Self::of_shares(usize::MAX, usize::MAX)
    }

    pub(crate) fn of_shares(short: usize, long: usize) -> Arc<Self> {
        Arc::new(Self { short: Share::new(short), long: Share::new(long) })
    }

    /// Bytes held by requests at this moment.
    pub fn used(&self) -> usize {
        self.short.used().saturating_add(self.long.used())
    }

    /// Connections that wait for bytes at this moment.
    pub fn waiting(&self) -> usize {
        self.short.waiting() + self.long.waiting()
    }

    /// Whether somebody waits for the bytes that long bodies hold.
    pub(crate) fn is_contended(&self) -> bool {
        self.long.waiting() > 0
    }

    /// A lease of nothing yet, for a body of `len` bytes.
    pub fn lease(&self, len: usize) -> Lease {
        if len <= SHORT { self.short.lease() } else { self.long.lease() }
    }
}
