//! `cargo xtask parity`: what Ottla and Apache Kafka make of the same files. Results are kept in docs/parity.md.

mod compaction;
mod folder;
mod kafka;
mod view;

use crate::Failure;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Three rounds of the cleaner over random keyed records with tombstones and transactions
    Compaction(compaction::Arguments),
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.what {
        What::Compaction(arguments) => compaction::run(arguments),
    }
}
