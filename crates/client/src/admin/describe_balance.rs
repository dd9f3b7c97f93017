//! The balancer of an Ottla cluster: what it does and why, pausing it, draining brokers. Apache Kafka has none.

use std::fmt;

use ottla_protocol::messages::{
    BalanceMove as WireMove, BalancedBroker as WireBroker, DescribeBalanceRequest,
};
use ottla_types::{NodeId, PartitionIndex, TopicName};

use super::{Admin, ConfigChange, ConfigResource};
use crate::Result;
use crate::error::check;

/// The state of the balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// Whether it moves anything, or is paused.
    pub enabled: bool,
    /// What each broker has, by id.
    pub brokers: Vec<BrokerBalance>,
    /// The newest moves that ended since the controller took office, those under way, and the next ones.
    pub moves: Vec<BalanceMove>,
    /// Why brokers that are to be empty cannot be.
    pub blocked: Vec<String>,
}

/// What one broker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerBalance {
    /// Its id.
    pub id: NodeId,
    /// Whether it takes part.
    pub standing: BrokerStanding,
    /// The replicas that it holds, or will when the moves under way have ended.
    pub replicas: i32,
    /// The replicas that moves under way take from it.
    pub leaving: i32,
    /// The partitions that it leads.
    pub leaders: i32,
    /// The partitions whose preferred leader it is.
    pub preferred_leaders: i32,
}

/// Whether a broker takes part in the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerStanding {
    /// It does.
    Active,
    /// It is fenced or shutting down.
    Away,
    /// It is to be empty.
    Drained,
    /// It was away for so long that it is to be empty.
    Lost,
    /// Of a newer version.
    Unknown,
}

impl fmt::Display for BrokerStanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::Away => "away",
            Self::Drained => "drained",
            Self::Lost => "lost",
            Self::Unknown => "unknown",
        })
    }
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceMove {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: PartitionIndex,
    /// How far it is.
    pub state: MoveState,
    /// What is done.
    pub kind: MoveKind,
    /// The replicas before.
    pub from: Vec<NodeId>,
    /// The replicas to be, the preferred leader first.
    pub to: Vec<NodeId>,
    /// Why.
    pub reason: String,
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveState {
    /// It would be made next.
    Planned,
    /// Replicas are being copied.
    UnderWay,
    /// It has ended.
    Done,
    /// Of a newer version.
    Unknown,
}

impl fmt::Display for MoveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Planned => "planned",
            Self::UnderWay => "under way",
            Self::Done => "done",
            Self::Unknown => "unknown",
        })
    }
}

/// What a move does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// Copies replicas to other brokers.
    Replicas,
    /// Changes the preferred leader, and elects it.
    Leader,
    /// Elects the preferred leader.
    Elect,
    /// Gives a move of the balancer up.
    Cancel,
    /// Of a newer version.
    Unknown,
}

impl fmt::Display for MoveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Replicas => "replicas",
            Self::Leader => "leader",
            Self::Elect => "elect",
            Self::Cancel => "cancel",
            Self::Unknown => "unknown",
        })
    }
}

const ENABLE: &str = "ottla.balancer.enable";
const DRAINED: &str = "ottla.balancer.drained.brokers";

impl Admin {
    /// What the balancer does, and the next `max_planned` moves that it would make.
    pub async fn describe_balance(&self, max_planned: i32) -> Result<Balance> {
        let request = &DescribeBalanceRequest { max_planned, ..DescribeBalanceRequest::default() };
        self.at_controller("describing the balance".to_owned(), move |connection| async move {
            let response = connection.call(request).await?;
            check(response.error_code, None, || "describing the balance".to_owned())?;
            Ok(Balance {
                enabled: response.enabled,
                brokers: response.brokers.iter().map(broker).collect(),
                moves: response.moves.iter().map(one).collect(),
                blocked: response.blocked.iter().map(ToString::to_string).collect(),
            })
        })
        .await
    }

    /// Has the balancer begin moves, or not. What is under way ends in any case.
    pub async fn enable_balancer(&self, enable: bool) -> Result<()> {
        let change = ConfigChange::Set(ENABLE.to_owned(), enable.to_string());
        self.alter_configs(&ConfigResource::Broker(None), &[change]).await
    }

    /// Has the balancer empty `broker`, or use it again. Returns as soon as the wish is recorded.
    pub async fn drain_broker(&self, broker: NodeId, drain: bool) -> Result<()> {
        let (key, id) = (DRAINED.to_owned(), broker.to_string());
        let change = if drain { ConfigChange::Append(key, id) } else { ConfigChange::Subtract(key, id) };
        self.alter_configs(&ConfigResource::Broker(None), &[change]).await
    }
}

fn broker(wire: &WireBroker) -> BrokerBalance {
    BrokerBalance {
        id: NodeId(wire.broker_id),
        standing: match wire.standing {
            0 => BrokerStanding::Active,
            1 => BrokerStanding::Away,
            2 => BrokerStanding::Drained,
            3 => BrokerStanding::Lost,
            _ => BrokerStanding::Unknown,
        },
        replicas: wire.replicas,
        leaving: wire.leaving,
        leaders: wire.leaders,
        preferred_leaders: wire.preferred_leaders,
    }
}

fn one(wire: &WireMove) -> BalanceMove {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    BalanceMove {
        topic: wire.topic.clone().into(),
        partition: PartitionIndex(wire.partition),
        state: match wire.state {
            0 => MoveState::Planned,
            1 => MoveState::UnderWay,
            2 => MoveState::Done,
            _ => MoveState::Unknown,
        },
        kind: match wire.kind {
            0 => MoveKind::Replicas,
            1 => MoveKind::Leader,
            2 => MoveKind::Elect,
            3 => MoveKind::Cancel,
            _ => MoveKind::Unknown,
        },
        from: nodes(&wire.from),
        to: nodes(&wire.to),
        reason: wire.reason.to_string(),
    }
}
