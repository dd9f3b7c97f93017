//! Imports from directories as Kafka writes them, on the simulated disk.

mod crash_test;
mod import_test;
pub(crate) mod kafka;
mod refusal_test;
