//! `env::Disk` in memory, with crashes, torn writes and injected faults, all drawn from one seed.
//!
//! It holds callers to the contract of [`ottla_env::Disk`]: bytes survive power loss once the file was synced, names
//! once the directory was. Everything else survives in any part: writes are torn at 512-byte sectors, reordered and
//! lost, lengths may grow without their data, names are kept or lost.
//!
//! It does not model lost or misdirected writes of synced data; [`SimDisk::corrupt`] flips bits where a test asks.
//!
//! Start at [`SimDisk`].

mod content;
mod disk;
mod fault;
mod tree;

pub use crate::disk::SimDisk;
pub use crate::fault::{Counters, Fault, Op};

#[cfg(test)]
mod disk_test;
