//! A node of a cluster: with no arguments broker and controller, on loopback.

use std::process::ExitCode;

use ottla_node::Defaults;

fn main() -> ExitCode {
    ottla_node::run(Defaults::Broker)
}
