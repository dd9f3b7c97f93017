//! A million records of 1 KB, with a kill in the middle: `cargo test -p ottla-broker-bin --test million -- --nocapture`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly, and say what they measured"
)]

#[path = "../process/idempotent_kill.rs"]
mod idempotent_kill;

#[test]
fn a_million_records_with_a_kill_in_the_middle() {
    idempotent_kill::run(1_000_000);
}
