//! This platform's own APIs between its nodes and for its own tools: keys from 10,000 on, never advertised to clients.

pub mod describe_balance;
pub mod fetch_metadata;
pub mod raft_message;

pub use self::describe_balance::{
    BalanceMove, BalancedBroker, DescribeBalanceRequest, DescribeBalanceResponse,
};
pub use self::fetch_metadata::{FetchMetadataRequest, FetchMetadataResponse, MetadataEntry};
pub use self::raft_message::{RaftMessageRequest, RaftMessageResponse};
