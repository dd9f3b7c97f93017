//! How many connections may be open: `max.connections`, `max.connections.per.ip` and its overrides, which may change.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Counts the connections of all listeners of a process.
#[derive(Debug, Default)]
pub struct ConnectionQuota {
    open: Mutex<Open>,
    /// A connection ended, or the limits changed.
    freed: Notify,
}

#[derive(Debug, Default)]
struct Open {
    limits: Limits,
    total: usize,
    by_ip: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Limits {
    max: usize,
    max_per_ip: usize,
    overrides: HashMap<IpAddr, usize>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max: usize::MAX, max_per_ip: usize::MAX, overrides: HashMap::new() }
    }
}

impl ConnectionQuota {
    /// At most `max` connections, and `max_per_ip` from one address unless `overrides` names it.
    pub fn new(max: usize, max_per_ip: usize, overrides: HashMap<IpAddr, usize>) -> Arc<Self> {
        let quota = Self::unlimited();
        quota.limit(max, max_per_ip, overrides);
        quota
    }

    /// No limits, which is Kafka's default; still counts.
    pub fn unlimited() -> Arc<Self> {
        Arc::default()
    }

    /// From now on these limits hold. Connections that are too many by them stay.
    pub fn limit(&self, max: usize, max_per_ip: usize, overrides: HashMap<IpAddr, usize>) {
        self.lock().limits = Limits { max, max_per_ip, overrides };
        self.freed.notify_waiters();
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.lock().total
    }

    /// Waits until one more connection may be accepted: at `max.connections` Kafka lets newcomers queue in the backlog.
    pub async fn room(&self) {
        loop {
            let freed = self.freed.notified();
            if self.has_room() {
                return;
            }
            freed.await;
        }
    }

    fn has_room(&self) -> bool {
        let open = self.lock();
        open.total < open.limits.max
    }

    /// Counts a connection from `ip`; `None` when that address has as many as it may.
    pub fn admit(self: &Arc<Self>, ip: IpAddr) -> Option<ConnectionPermit> {
        let ip = ip.to_canonical();
        let mut open = self.lock();
        let limit = open.limits.overrides.get(&ip).copied().unwrap_or(open.limits.max_per_ip);
        let count = open.by_ip.entry(ip).or_default();
        if *count >= limit {
            if *count == 0 {
                open.by_ip.remove(&ip);
            }
            return None;
        }
        *count += 1;
        open.total += 1;
        drop(open);
        Some(ConnectionPermit { quota: Arc::clone(self), ip })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One counted connection; drop it when the connection is closed.
#[derive(Debug)]
pub struct ConnectionPermit {
    quota: Arc<ConnectionQuota>,
    ip: IpAddr,
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.quota.lock();
        open.total -= 1;
        if let Some(count) = open.by_ip.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                open.by_ip.remove(&self.ip);
            }
        }
        drop(open);
        // Every listener may be waiting, and each looks at the count again.
        self.quota.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn one_address_has_as_many_as_it_may_and_an_override_wins() {
        let quota = ConnectionQuota::new(10, 1, HashMap::from([(B, 2)]));
        let a = quota.admit(A);
        assert!(a.is_some() && quota.admit(A).is_none());
        let b = [quota.admit(B), quota.admit(B), quota.admit(B)];
        assert_eq!(b.iter().flatten().count(), 2);
        drop(a);
        assert!(quota.admit(A).is_some());
    }

    #[test]
    fn limits_that_change_hold_for_who_comes_next() {
        let quota = ConnectionQuota::new(10, 2, HashMap::new());
        let both = [quota.admit(A), quota.admit(A)];
        quota.limit(10, 1, HashMap::from([(B, 2)]));
        assert!(quota.admit(A).is_none() && both.iter().all(Option::is_some));
        assert!(quota.admit(B).is_some() && quota.admit(B).is_some());
    }

    #[test]
    fn an_address_written_as_ipv6_is_the_same_address() {
        let quota = ConnectionQuota::new(10, 1, HashMap::new());
        let _a = quota.admit(A).unwrap();
        assert!(quota.admit(IpAddr::V6(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped())).is_none());
    }

    #[tokio::test]
    async fn at_the_limit_there_is_room_when_a_connection_closes() {
        let quota = ConnectionQuota::new(1, 9, HashMap::new());
        quota.room().await;
        let permit = quota.admit(A);
        let waiting = tokio::spawn({
            let quota = Arc::clone(&quota);
            async move { quota.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(permit);
        waiting.await.unwrap();
        assert_eq!(quota.open(), 0);
    }
}
