//! A controller of a cluster: a voter of its metadata quorum.

use std::process::ExitCode;

use ottla_node::Defaults;

fn main() -> ExitCode {
    ottla_node::run(Defaults::Controller)
}
