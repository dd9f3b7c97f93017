//! Why an outgoing connection or a request on it failed.

use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use ottla_protocol::{ApiKey, DecodeError, EncodeError, ErrorCode, Version};
use thiserror::Error;

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The host has no address.
    #[error("cannot resolve '{address}': {source}")]
    Resolve {
        /// What was given.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody listens there: the process is gone, though its machine is up.
    #[error("{address} refuses connections: nothing listens there")]
    Refused {
        /// What was given.
        address: String,
    },
    /// No answer: the machine or the network is down, or a firewall drops packets.
    #[error("{address} did not answer within {} ms", .timeout.as_millis())]
    TimedOut {
        /// What was given.
        address: String,
        /// How long it was tried.
        timeout: Duration,
    },
    /// Anything else.
    #[error("cannot connect to {address}: {source}")]
    Failed {
        /// What was given.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// How a connection ended.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The peer closed it in an orderly way.
    #[error("closed by the peer")]
    Closed,
    /// This end closed it: nobody uses it any more.
    #[error("no longer used")]
    Unused,
    /// The peer's system reset it: its process is gone.
    #[error("reset by the peer")]
    Reset,
    /// The peer sent what is no response to what was asked.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The network failed.
    #[error("{1} ({0:?})")]
    Failed(io::ErrorKind, String),
}

impl From<io::Error> for ConnectionEnd {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Self::Reset,
            kind => Self::Failed(kind, error.to_string()),
        }
    }
}

/// Why a request has no response.
#[derive(Clone, Debug, Error)]
pub enum RequestError {
    /// The connection ended; whether the peer acted on the request is unknown.
    #[error("connection ended: {0}")]
    Ended(#[from] ConnectionEnd),
    /// No response in time; whether the peer acted on the request is unknown.
    #[error("no response within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// The request cannot be written in that version.
    #[error("{api}: {source}")]
    Encode {
        /// The API.
        api: ApiKey,
        /// Why.
        source: EncodeError,
    },
    /// The response cannot be read.
    #[error("{api} response: {source}")]
    Decode {
        /// The API.
        api: ApiKey,
        /// Why.
        source: DecodeError,
    },
    /// The two ends are too far apart.
    #[error(
        "{api}: this node speaks versions {} to {}, the peer {}; run builds that are closer to each other",
        ours.start(), ours.end(), peer_text(peer.as_ref())
    )]
    NoCommonVersion {
        /// The API.
        api: ApiKey,
        /// What this end speaks.
        ours: RangeInclusive<Version>,
        /// What the peer serves; `None` if not this API.
        peer: Option<RangeInclusive<Version>>,
    },
    /// The peer does not say what it serves.
    #[error("{api}: the peer answers {error:?}")]
    Refused {
        /// The API.
        api: ApiKey,
        /// What it says.
        error: ErrorCode,
    },
}

fn peer_text(peer: Option<&RangeInclusive<Version>>) -> String {
    match peer {
        Some(range) => format!("serves {} to {}", range.start(), range.end()),
        None => "serves none".to_owned(),
    }
}
