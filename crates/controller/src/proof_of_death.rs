//! Whether a broker's process has ended: the only thing that fences a broker before its session is over.
//!
//! A process that ends takes its connections and its listeners with it. That a connection has ended proves little, and that
//! nothing listens where the broker did proves little, since a firewall may answer so; both prove enough: a broker binds its
//! listeners before it registers, and closes them last. Silence proves nothing: the network may be cut, or the process paused.
//! Whoever asks here knows of a connection that has ended.

use std::time::Duration;

use ottla_network::{ClientOptions, ConnectError, Connection};

/// How long one attempt to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_millis(250);
/// Between attempts: a process that is being torn down may still have its listener, for a moment.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
];

/// Whether each of `addresses`, `host:port` of a broker's listeners, refuses connections. Looks several times, and gives
/// up as soon as `is_heard_of`.
pub(crate) async fn is_dead(addresses: &[String], is_heard_of: impl Fn() -> bool) -> bool {
    for pause in PAUSES {
        if is_heard_of() {
            return false;
        }
        if all_refuse(addresses).await {
            return !is_heard_of();
        }
        tokio::time::sleep(pause).await;
    }
    false
}

async fn all_refuse(addresses: &[String]) -> bool {
    for address in addresses {
        let tried = Connection::connect(address, CONNECT_WITHIN, ClientOptions::default()).await;
        if !matches!(tried, Err(ConnectError::Refused { .. })) {
            return false;
        }
    }
    !addresses.is_empty()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::net::TcpListener;

    use super::*;

    async fn bound() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (listener, address)
    }

    #[tokio::test]
    async fn a_broker_whose_listeners_all_refuse_is_dead() {
        let (open, alive) = bound().await;
        let (closed, gone) = bound().await;
        drop(closed);
        assert!(is_dead(std::slice::from_ref(&gone), || false).await);
        assert!(!is_dead(&[gone.clone(), alive], || false).await, "one of its listeners is there");
        assert!(!is_dead(&[], || false).await, "nothing was seen");
        drop(open);
    }

    #[tokio::test]
    async fn a_listener_that_closes_a_moment_later_is_seen() {
        let (open, address) = bound().await;
        let open = Cell::new(Some(open));
        let looks = Cell::new(0);
        let not_heard_of = || {
            looks.set(looks.get() + 1);
            if looks.get() == 3 {
                drop(open.take());
            }
            false
        };
        assert!(is_dead(&[address], not_heard_of).await);
    }

    #[tokio::test]
    async fn a_broker_that_is_heard_of_lives() {
        let (closed, gone) = bound().await;
        drop(closed);
        assert!(!is_dead(&[gone], || true).await);
    }
}
