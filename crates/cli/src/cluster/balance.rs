//! `ottla cluster balance`

use ottla_client::{Balance, MoveState};
use serde::Serialize;

use crate::args::Context;
use crate::error::Result;
use crate::output::{list, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Begin no more moves; those under way end
    #[arg(long, conflicts_with = "resume")]
    pause: bool,
    /// Begin moves again
    #[arg(long)]
    resume: bool,
    /// How many of the moves that come next to show
    #[arg(long, default_value_t = 20, value_name = "COUNT")]
    planned: i32,
}

#[derive(Serialize)]
struct View {
    enabled: bool,
    brokers: Vec<Broker>,
    moves: Vec<Move>,
    blocked: Vec<String>,
}

#[derive(Serialize)]
struct Broker {
    id: i32,
    state: String,
    replicas: i32,
    leaving: i32,
    leaders: i32,
    preferred_leaders: i32,
}

#[derive(Serialize)]
struct Move {
    state: String,
    topic: String,
    partition: i32,
    kind: String,
    from: Vec<i32>,
    to: Vec<i32>,
    reason: String,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let admin = context.admin().await?;
    if args.pause || args.resume {
        admin.enable_balancer(args.resume).await?;
    }
    let mut balance = admin.describe_balance(args.planned).await?;
    if args.pause || args.resume {
        // The controller answers from what it has applied, which may be the moment before.
        balance.enabled = args.resume;
    }
    context.out.show(&view(balance), text)
}

fn view(balance: Balance) -> View {
    let brokers = balance.brokers.into_iter().map(|broker| Broker {
        id: broker.id.0,
        state: broker.standing.to_string(),
        replicas: broker.replicas,
        leaving: broker.leaving,
        leaders: broker.leaders,
        preferred_leaders: broker.preferred_leaders,
    });
    let moves = balance.moves.into_iter().map(|made| Move {
        state: made.state.to_string(),
        topic: made.topic.to_string(),
        partition: made.partition.0,
        kind: made.kind.to_string(),
        from: made.from.iter().map(|id| id.0).collect(),
        to: made.to.iter().map(|id| id.0).collect(),
        reason: made.reason,
    });
    View {
        enabled: balance.enabled,
        brokers: brokers.collect(),
        moves: moves.collect(),
        blocked: balance.blocked,
    }
}

fn text(view: &View) -> String {
    let count = |state: MoveState| view.moves.iter().filter(|made| made.state == state.to_string()).count();
    let brokers = table(
        ["#BROKER", "STATE", "#REPLICAS", "#LEAVING", "#LEADERS", "#PREFERRED"],
        view.brokers.iter().map(|broker| {
            let numbers = [broker.replicas, broker.leaving, broker.leaders, broker.preferred_leaders];
            let [replicas, leaving, leaders, preferred] = numbers.map(|number| number.to_string());
            [broker.id.to_string(), broker.state.clone(), replicas, leaving, leaders, preferred]
        }),
    );
    let moves = table(
        ["MOVE", "TOPIC", "#PARTITION", "KIND", "FROM", "TO", "REASON"],
        view.moves.iter().map(|made| {
            let (from, to) = (list(&made.from), list(&made.to));
            let partition = made.partition.to_string();
            let (state, kind, reason) = (made.state.clone(), made.kind.clone(), made.reason.clone());
            [state, made.topic.clone(), partition, kind, from, to, reason]
        }),
    );
    let moves = if view.moves.is_empty() { String::new() } else { format!("\n{moves}") };
    let blocked: String = view.blocked.iter().map(|why| format!("\n{why}\n")).collect();
    let state = if view.enabled { "on" } else { "paused" };
    let (under_way, planned) = (count(MoveState::UnderWay), count(MoveState::Planned));
    format!("balancer {state}: {under_way} moves under way, {planned} planned\n\n{brokers}{moves}{blocked}")
}

#[cfg(test)]
mod tests {
    use ottla_client::{BalanceMove, BrokerBalance, BrokerStanding, MoveKind, NodeId};

    use super::*;

    #[test]
    fn the_text_has_brokers_moves_and_reasons() {
        let broker = BrokerBalance {
            id: NodeId(4),
            standing: BrokerStanding::Drained,
            replicas: 2,
            leaving: 1,
            leaders: 0,
            preferred_leaders: 1,
        };
        let made = BalanceMove {
            topic: "orders".into(),
            partition: 7.into(),
            state: MoveState::UnderWay,
            kind: MoveKind::Replicas,
            from: vec![NodeId(4), NodeId(1)],
            to: vec![NodeId(2), NodeId(1)],
            reason: "broker 4 is drained".to_owned(),
        };
        let blocked = vec!["2 partitions wait".to_owned()];
        let balance = Balance { enabled: false, brokers: vec![broker], moves: vec![made], blocked };
        let expected = [
            "balancer paused: 1 moves under way, 0 planned",
            "",
            "BROKER  STATE    REPLICAS  LEAVING  LEADERS  PREFERRED",
            "     4  drained         2        1        0          1",
            "",
            "MOVE       TOPIC   PARTITION  KIND      FROM  TO   REASON",
            "under way  orders          7  replicas  4,1   2,1  broker 4 is drained",
            "",
            "2 partitions wait\n",
        ];
        assert_eq!(text(&view(balance)), expected.join("\n"));
    }
}
