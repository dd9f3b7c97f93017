//! Project automation: `cargo xtask --help`.

mod bench;
mod chaos;
mod ci;
mod clients;
mod docs;
mod fuzz;
mod kafka_jars;
mod mutants;
mod nightly;
mod parity;
mod readme;
mod rolling;
mod sim;
mod vectors;
mod wire_check;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command fails with: a message for people.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Project automation")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// One variant and one module per command.
#[derive(Subcommand)]
enum Command {
    /// Everything that CI runs, read-only
    Ci,
    /// Format, and apply what the lints suggest
    Fix,
    /// Compare every message struct with the definitions inside the published Kafka jars
    WireCheck,
    /// Author the byte vectors under tests/vectors with the classes of the published Kafka jars
    Vectors(vectors::Arguments),
    /// Write the generated pages of docs/reference
    Docs(docs::Arguments),
    /// Replay the same requests to Ottla, Apache Kafka and speed-of-light programs in turn, and compare
    Bench(bench::Arguments),
    /// Run the fuzz targets, and keep in fuzz/corpus what reaches more
    Fuzz(fuzz::Arguments),
    /// Plant the bugs of tests/mutants one at a time, and see that the tests catch them
    Mutants(mutants::Arguments),
    /// What is too long for a change: a million crashes, bad files, fuzzing, all planted bugs
    Nightly(nightly::Arguments),
    /// Simulate the cluster from a seed, and tell what happened
    Sim(sim::Arguments),
    /// Real nodes under partitions, pauses, kills and losses of power: nothing acknowledged may be lost
    Chaos(chaos::Arguments),
    /// Run the commands that README.md shows, and check that they print what it shows
    Readme(readme::Arguments),
    /// Restart three nodes under load onto a build with a newer metadata format, back, and again for good
    Rolling(rolling::Arguments),
    /// Have Ottla and Apache Kafka do the same with the same files, and compare what is left
    Parity(parity::Arguments),
    /// Run unmodified clients of every language against a node: a table of client and capability
    Clients(clients::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Ci => ci::ci(),
        Command::Fix => ci::fix(),
        Command::WireCheck => wire_check::run(),
        Command::Vectors(arguments) => vectors::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Mutants(arguments) => mutants::run(&arguments),
        Command::Nightly(arguments) => nightly::run(&arguments),
        Command::Sim(arguments) => sim::run(&arguments),
        Command::Chaos(arguments) => chaos::run(&arguments),
        Command::Readme(arguments) => readme::run(&arguments),
        Command::Rolling(arguments) => rolling::run(&arguments),
        Command::Parity(arguments) => parity::run(&arguments),
        Command::Clients(arguments) => clients::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&*failure);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is where commands tell people what went wrong")]
fn report(failure: &dyn std::error::Error) {
    eprintln!("error: {failure}");
}
