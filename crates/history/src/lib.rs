//! What clients and replicas of a cluster saw, and the rules that it must keep: a checker in the manner of Jepsen's for Kafka.
//!
//! ```text
//!  simulated cluster (ottla-sim) ──┐
//!                                  ├──▶ History: facts only ──check──▶ Violation: a rule, and how it is broken
//!  real processes (chaos)        ──┘
//! ```
//!
//! Every record that a test sends has a [`Value`] of its own, so that it can be followed. What a recorder cannot know it leaves
//! out: real processes do not tell what controllers commit, and the rules about that find nothing to object to.
//!
//! Entry point: [`check`].

mod dumped;
mod history;
mod rules;
mod value;

pub use crate::history::{
    Append, Dump, Dumped, Election, History, Led, Outcome, Read, Restart, Send, Truncation, Version,
    Watermark,
};
pub use crate::rules::{Violation, check};
pub use crate::value::Value;
