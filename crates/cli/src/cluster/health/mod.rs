//! `ottla cluster health`
//!
//! ```text
//!  look      what the cluster says of itself; what cannot be asked is an error beside the rest
//!    │
//!  findings  brokers, partitions, quorum: pure functions from that to what is wrong, each with what to do
//!    │
//!  report    counts and findings, as JSON or for people; healthy if no finding is a fault
//! ```

mod brokers;
mod finding;
#[cfg(test)]
mod health_test;
mod look;
mod partitions;
mod quorum;
mod report;

use std::time::{Duration, Instant};

use ottla_client::Admin;

use self::look::look;
use self::report::Report;
use crate::args::Context;
use crate::error::{CliError, Result};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ask again until the cluster is healthy, this long at most; 0 asks once
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    wait: u64,
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    let mut admin = None;
    let mut told = String::new();
    let report = loop {
        let report = ask(context, &mut admin).await;
        let done = report.as_ref().is_ok_and(|report| report.healthy);
        if done || Instant::now() + PAUSE > deadline {
            break report?;
        }
        let state = report.map_or_else(|error| error.to_string(), |report| report.summary());
        if state != told {
            context.out.note(&format!("waiting: {state}"));
            told = state;
        }
        tokio::time::sleep(PAUSE).await;
    };
    context.out.show(&report, Report::text)?;
    if report.healthy {
        return Ok(());
    }
    // What is wrong comes before the error that says so.
    context.out.finish()?;
    Err(CliError::Unhealthy)
}

/// One look, over connections that stay from one to the next.
async fn ask(context: &Context, admin: &mut Option<Admin>) -> Result<Report> {
    let admin = match admin {
        Some(admin) => admin,
        None => admin.insert(context.impatient_admin().await?),
    };
    Ok(Report::of(&look(admin).await?))
}
