//! One connection to one broker.

mod chunks;
mod connection;
#[cfg(test)]
mod connection_test;
mod pending;
mod versions;

pub(crate) use connection::Connection;
