//! A million records of 1 KB, with a kill in the middle: `cargo test -p ottla-broker-bin --test million -- --nocapture`.

#[path = "../process/idempotent_kill.rs"]
mod idempotent_kill;

#[test]
fn a_million_records_with_a_kill_in_the_middle() {
    idempotent_kill::run(1_000_000);
}
