//! A node of a cluster: with no arguments broker and controller, on loopback.

use std::process::ExitCode;

use ottla_node::Defaults;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ottla_node::run(Defaults::Broker)
}
