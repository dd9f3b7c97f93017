//! `ottla cluster drain`

use std::time::Duration;

use ottla_client::{Admin, Balance, BrokerBalance, BrokerStanding, ClientError, NodeId};
use serde::Serialize;

use crate::args::Context;
use crate::error::{CliError, Result};

/// How often to look how far it is.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The id of the broker to empty
    #[arg(value_name = "BROKER")]
    broker: i32,
    /// Use the broker again; replicas come back to it
    #[arg(long)]
    cancel: bool,
    /// Return at once; `ottla cluster balance` shows how far it is
    #[arg(long, conflicts_with = "cancel")]
    no_wait: bool,
}

#[derive(Serialize)]
struct Drained {
    broker: i32,
    state: &'static str,
    replicas: i32,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    let id = NodeId(args.broker);
    let held = held_by(&admin.describe_balance(0).await?, id)?.held();
    admin.drain_broker(id, !args.cancel).await?;
    let (state, replicas) = match (args.cancel, args.no_wait) {
        (true, _) => ("in use", held),
        (false, true) => ("draining", held),
        (false, false) => {
            wait_until_empty(context, &admin, id).await?;
            ("empty", 0)
        }
    };
    context.out.show(&Drained { broker: id.0, state, replicas }, |drained| match state {
        "empty" => format!("broker {id} is empty; it can be stopped"),
        _ => format!("broker {id} is {state}, with {} replicas", drained.replicas),
    })
}

/// Follows the drain with notes; an error if it cannot end.
async fn wait_until_empty(context: &Context, admin: &Admin, id: NodeId) -> Result<()> {
    let mut last = None;
    loop {
        let balance = admin.describe_balance(0).await?;
        let broker = held_by(&balance, id)?;
        let is_recorded = broker.standing == BrokerStanding::Drained;
        if is_recorded && broker.held() == 0 {
            return Ok(());
        }
        if last != Some(broker.held()) {
            last = Some(broker.held());
            context.out.note(&format!(
                "broker {id}: {} replicas left, {} on their way",
                broker.held(),
                broker.leaving
            ));
            if !balance.enabled {
                context
                    .out
                    .note("the balancer is paused: nothing begins until `ottla cluster balance --resume`");
            }
        }
        let prefix = format!("cannot leave broker {id}:");
        let stuck = balance.blocked.iter().find(|why| why.contains(&prefix));
        if let Some(why) = stuck.filter(|_| is_recorded && broker.leaving == 0) {
            return Err(CliError::Blocked(format!("{why} (it stays drained; --cancel takes that back)")));
        }
        tokio::time::sleep(LOOK).await;
    }
}

trait Held {
    /// The replicas that are there, those on their way elsewhere included.
    fn held(&self) -> i32;
}

impl Held for BrokerBalance {
    fn held(&self) -> i32 {
        self.replicas + self.leaving
    }
}

fn held_by(balance: &Balance, id: NodeId) -> Result<&BrokerBalance> {
    let found = balance.brokers.iter().find(|broker| broker.id == id);
    Ok(found.ok_or(ClientError::UnknownBroker { broker: id })?)
}
