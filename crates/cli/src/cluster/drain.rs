//! `ottla cluster drain`

use std::sync::Arc;
use std::time::Duration;

use ottla_client::{Admin, Balance, BrokerBalance, BrokerStanding, ClientError, NodeId, TopicInfo};
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
    /// Also if some of its replicas have nowhere to go now
    #[arg(long, conflicts_with = "cancel")]
    force: bool,
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
    let balance = admin.describe_balance(0).await?;
    let held = held_by(&balance, id)?.held();
    if !args.cancel && !args.force {
        check_room(&balance, &admin.list_topics().await?, id)?;
    }
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

/// An error if some partition of broker `id` has nowhere to go.
fn check_room(balance: &Balance, topics: &[Arc<TopicInfo>], id: NodeId) -> Result<()> {
    let is_other = |broker: &&BrokerBalance| broker.standing == BrokerStanding::Active && broker.id != id;
    let others: Vec<_> = balance.brokers.iter().filter(is_other).map(|broker| broker.id).collect();
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    let stuck = count_stuck(partitions.map(|partition| partition.replicas.as_slice()), &others, id);
    if stuck == 0 {
        return Ok(());
    }
    let why = match others.len() {
        0 => "no other broker is active; add one",
        _ => {
            "every other active broker has a replica of them; add a broker, or lower their replication factor"
        }
    };
    Err(CliError::Blocked(format!(
        "{stuck} partitions cannot leave broker {id}: {why}. Nothing was changed; --force drains it as far as it goes"
    )))
}

/// How many of those with a replica on `id` have one on all `others` too.
fn count_stuck<'a>(partitions: impl Iterator<Item = &'a [NodeId]>, others: &[NodeId], id: NodeId) -> usize {
    let has_nowhere = |replicas: &&[NodeId]| others.iter().all(|other| replicas.contains(other));
    partitions.filter(|replicas| replicas.contains(&id)).filter(has_nowhere).count()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_needs_an_active_broker_without_a_replica_of_it() {
        let [one, two, three] = [1, 2, 3].map(NodeId);
        let partitions = [vec![one, two], vec![two, one], vec![one], vec![two, three]];
        let stuck = |others: &[NodeId]| count_stuck(partitions.iter().map(Vec::as_slice), others, one);
        assert_eq!(stuck(&[two, three]), 0);
        assert_eq!(stuck(&[two]), 2, "those that are on two already");
        assert_eq!(stuck(&[]), 3, "nobody else is there");
    }
}
