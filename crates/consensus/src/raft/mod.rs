//! Our log, state machine and transport, as openraft wants to see them.

pub(crate) mod codec;
pub(crate) mod handler;
pub(crate) mod machine;
pub(crate) mod messages;
pub(crate) mod network;
pub(crate) mod repeats;
pub(crate) mod sanity;
pub(crate) mod store;
pub(crate) mod types;

#[cfg(test)]
mod codec_test;
#[cfg(test)]
mod suite_test;
