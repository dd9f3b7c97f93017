//! DescribeBalance, an API of our own: what the balancer does, would do next, and why.
//!
//! Errors: NOT_CONTROLLER.

use ottla_metadata::plan::{BrokerLoad, Move, MoveKind, Standing};
use ottla_protocol::Request;
use ottla_protocol::messages::{
    BalanceMove, BalancedBroker, DescribeBalanceRequest, DescribeBalanceResponse,
};
use ottla_server::RequestContext;

use crate::Controller;
use crate::error_codes::Coded;

/// The most moves ahead that are told, whatever is asked for.
const MAX_PLANNED: usize = 1000;
const PLANNED: i8 = 0;
const UNDER_WAY: i8 = 1;
const DONE: i8 = 2;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: DescribeBalanceRequest,
) -> DescribeBalanceResponse {
    if let Err(error) = controller.check_active() {
        return request.error_response(cx.version, error.code());
    }
    let max_planned = usize::try_from(request.max_planned).unwrap_or(0).min(MAX_PLANNED);
    let state = controller.describe_balance(max_planned);
    let moves = [(DONE, &state.ended), (UNDER_WAY, &state.under_way), (PLANNED, &state.next.moves)];
    DescribeBalanceResponse {
        enabled: state.enabled,
        brokers: state.next.brokers.iter().map(broker).collect(),
        moves: moves
            .into_iter()
            .flat_map(|(state, moves)| moves.iter().map(move |made| one(made, state)))
            .collect(),
        blocked: state.next.blocked.into_iter().map(Into::into).collect(),
        ..Default::default()
    }
}

fn broker(load: &BrokerLoad) -> BalancedBroker {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    BalancedBroker {
        broker_id: load.id.0,
        standing: match load.standing {
            Standing::Active => 0,
            Standing::Away => 1,
            Standing::Drained => 2,
            Standing::Lost => 3,
        },
        replicas: count(load.replicas),
        leaving: count(load.leaving),
        leaders: count(load.leaders),
        preferred_leaders: count(load.preferred),
        ..Default::default()
    }
}

fn one(made: &Move, state: i8) -> BalanceMove {
    BalanceMove {
        topic: made.topic.clone().into(),
        partition: made.partition.1.0,
        state,
        kind: match made.kind {
            MoveKind::Replicas => 0,
            MoveKind::Leader => 1,
            MoveKind::Elect => 2,
            MoveKind::Cancel => 3,
        },
        from: made.from.iter().map(|id| id.0).collect(),
        to: made.to.iter().map(|id| id.0).collect(),
        reason: made.reason.as_str().into(),
        ..Default::default()
    }
}
