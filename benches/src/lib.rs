//! What the programs of the harness share.

pub mod call;
pub mod frames;
pub mod process;
