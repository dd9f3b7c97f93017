//! The `ottla` command: reads the command line and runs it.

use std::process::ExitCode;

use clap::Parser;
use ottla_cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One thread is enough for one command, and starts at once.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "error: no runtime: {e}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(cli.run());
    // A thread may still wait for standard input; the process does not.
    runtime.shutdown_background();
    code
}
