//! Whether anybody listens at an address.

use std::io;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Admin;

/// What came of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// Somebody took it.
    Yes,
    /// The machine is there, and nobody listens at that port.
    No,
    /// It did not come about, which may be the network's doing.
    Unknown,
}

impl Admin {
    /// Connects to `host:port`, of whatever protocol, and says nothing.
    pub async fn listens(&self, host: &str, port: u16) -> Listening {
        match timeout(self.cluster.config.connect_timeout, TcpStream::connect((host, port))).await {
            Ok(Ok(_)) => Listening::Yes,
            Ok(Err(e)) if e.kind() == io::ErrorKind::ConnectionRefused => Listening::No,
            _ => Listening::Unknown,
        }
    }
}
