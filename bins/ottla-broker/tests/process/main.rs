//! The binary as its users meet it: arguments, exit codes, signals, kills, hostile peers.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly, and say what they measured"
)]

mod bad_input;
mod cluster;
mod command_line;
mod dev_nodes;
mod idempotent_kill;
mod kill;
mod lease;
mod membership;
mod quorum;
mod replicated_kill;
mod support;
mod unclean_restart;

#[test]
fn an_idempotent_producer_finishes_over_a_kill() {
    idempotent_kill::run(30_000);
}
