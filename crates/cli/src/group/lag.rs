//! `ottla group lag`

use ottla_client::PartitionLag;
use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::{or_dash, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The group
    group: String,
}

/// A partition that a group reads.
#[derive(Serialize)]
pub(super) struct Lag {
    topic: String,
    partition: i32,
    committed: Option<i64>,
    start: Option<i64>,
    end: Option<i64>,
    lag: Option<i64>,
    member: Option<String>,
}

impl From<PartitionLag> for Lag {
    fn from(lag: PartitionLag) -> Self {
        Self {
            lag: lag.lag(),
            topic: lag.partition.topic.to_string(),
            partition: lag.partition.partition.0,
            committed: lag.committed.map(|c| c.offset.0),
            start: lag.log_start.map(|o| o.0),
            end: lag.log_end.map(|o| o.0),
            member: lag.member,
        }
    }
}

pub(crate) async fn run(context: &mut Context, args: &Args) -> Result<()> {
    let admin = context.admin().await?;
    let lags: Vec<_> = admin.group_lag(&args.group).await?.into_iter().map(Lag::from).collect();
    context.out.show(&lags, |lags| format!("{}\ntotal lag {}", text(lags), total(lags)))
}

pub(super) fn total(lags: &[Lag]) -> i64 {
    lags.iter().filter_map(|l| l.lag).sum()
}

pub(super) fn text(lags: &[Lag]) -> String {
    let cells = |l: &Lag| {
        [
            l.topic.clone(),
            l.partition.to_string(),
            or_dash(l.committed),
            or_dash(l.end),
            or_dash(l.lag),
            or_dash(l.member.as_ref()),
        ]
    };
    table(["TOPIC", "#PARTITION", "#COMMITTED", "#END", "#LAG", "MEMBER"], lags.iter().map(cells))
}
