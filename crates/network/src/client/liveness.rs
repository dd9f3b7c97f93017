//! Whether a connection's peer is still there, as the operating system knows it now.

use std::fmt::{self, Debug};
use std::mem::MaybeUninit;
use std::sync::{Arc, Weak};

use socket2::Socket;
use tokio::sync::watch;

use crate::client::ConnectionEnd;

/// Tells whether a connection has been ended by its peer. Keeps nothing open.
///
/// The connection's own task learns of it when it is next run. This asks the socket: it is true from the moment at which
/// the system has seen the end, also before anything in this process was woken by it.
#[derive(Clone)]
pub struct Liveness {
    socket: Weak<Socket>,
    pub(crate) end: watch::Receiver<Option<ConnectionEnd>>,
}

impl Liveness {
    pub(crate) fn new(socket: Option<&Arc<Socket>>, end: watch::Receiver<Option<ConnectionEnd>>) -> Self {
        Self { socket: socket.map(Arc::downgrade).unwrap_or_default(), end }
    }

    /// Whether the peer or the network has ended it; not if it was given up here. One system call while it lives.
    pub fn is_ended_by_peer(&self) -> bool {
        // Upgrade first: the end is known before the socket is dropped.
        let socket = self.socket.upgrade();
        match (&*self.end.borrow(), socket) {
            (Some(end), _) => *end != ConnectionEnd::Unused,
            (None, Some(socket)) => is_at_its_end(&socket),
            (None, None) => false,
        }
    }

    /// Whether it was given up here.
    pub fn is_unused(&self) -> bool {
        *self.end.borrow() == Some(ConnectionEnd::Unused)
    }
}

impl Debug for Liveness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Liveness").field("end", &*self.end.borrow()).finish_non_exhaustive()
    }
}

fn is_at_its_end(socket: &Socket) -> bool {
    use std::io::ErrorKind::{Interrupted, WouldBlock};
    match socket.peek(&mut [MaybeUninit::uninit()]) {
        Ok(bytes) => bytes == 0,
        Err(error) => !matches!(error.kind(), WouldBlock | Interrupted),
    }
}
