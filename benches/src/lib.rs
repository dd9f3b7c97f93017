//! What the programs of the harness share.

pub mod frames;
pub mod process;
