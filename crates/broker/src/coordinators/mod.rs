//! Coordinators: shards of internal topics, hosted where their partition is led.

mod groups;
mod host;
mod shard_log;

pub(crate) use self::groups::{AskError, GroupCoordinator};
pub(crate) use self::host::HostError;
