//! One connection to one broker.

mod chunks;
mod connection;
mod pending;
mod versions;

pub(crate) use connection::Connection;
