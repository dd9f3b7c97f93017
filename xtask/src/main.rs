//! Project automation: `cargo xtask --help`.

mod docs;
mod kafka_jars;
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
    /// Compare every message struct with the definitions inside the published Kafka jars
    WireCheck,
    /// Author the byte vectors under tests/vectors with the classes of the published Kafka jars
    Vectors(vectors::Arguments),
    /// Write the generated pages of docs/reference
    Docs(docs::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::WireCheck => wire_check::run(),
        Command::Vectors(arguments) => vectors::run(&arguments),
        Command::Docs(arguments) => docs::run(&arguments),
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
