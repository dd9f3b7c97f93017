//! What the balancer does, would do, and why.

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Asks the active controller for the state of its balancer.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10002, versions = "0", flexible = "0+")]
pub struct DescribeBalanceRequest {
    /// How many moves that it would make next to tell at most.
    pub max_planned: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeBalanceRequest {
    type Response = DescribeBalanceResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeBalanceResponse {
        DescribeBalanceResponse { error_code: error, ..Default::default() }
    }
}

/// The state of the balancer.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 10002, versions = "0", flexible = "0+")]
pub struct DescribeBalanceResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Whether it moves anything, or is paused.
    pub enabled: bool,
    /// What each broker has; moves under way count as done.
    pub brokers: Vec<BalancedBroker>,
    /// Moves that ended since the controller took office (the newest), that are under way, and that would be made next.
    pub moves: Vec<BalanceMove>,
    /// Why brokers that are to be empty cannot be.
    pub blocked: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What one broker has.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BalancedBroker {
    /// Its id.
    pub broker_id: i32,
    /// 0 active, 1 away, 2 drained, 3 lost.
    pub standing: i8,
    /// How many replicas it holds, or will when the moves under way have ended.
    pub replicas: i32,
    /// How many replicas moves under way take from it.
    pub leaving: i32,
    /// How many partitions it leads.
    pub leaders: i32,
    /// Of how many partitions it is the preferred leader.
    pub preferred_leaders: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct BalanceMove {
    /// The topic.
    pub topic: ByteString,
    /// The partition.
    pub partition: i32,
    /// 0 planned, 1 under way, 2 done.
    pub state: i8,
    /// 0 replicas are copied, 1 the preferred leader changes, 2 the preferred leader is elected, 3 a move is given up.
    pub kind: i8,
    /// The replicas before.
    pub from: Vec<i32>,
    /// The replicas to be, the preferred leader first.
    pub to: Vec<i32>,
    /// Why.
    pub reason: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
