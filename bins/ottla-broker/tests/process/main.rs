//! The binary as its users meet it: arguments, exit codes, signals, kills, hostile peers.

mod bad_input;
mod command_line;
mod idempotent_kill;
mod kill;
mod support;

#[test]
fn an_idempotent_producer_finishes_over_a_kill() {
    idempotent_kill::run(30_000);
}
