//! A controller of a cluster: a voter of its metadata quorum.

use std::process::ExitCode;

use ottla_node::Defaults;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ottla_node::run(Defaults::Controller)
}
