//! This platform's own APIs between its nodes and for its own tools: keys from 10,000 on, never advertised to clients. Nodes of
//! different builds use the highest version that both know, so an older version stays for as long as there may be a
//! cluster that is restarted from it.

pub mod describe_balance;
pub mod fetch_metadata;
pub mod raft_message;

pub use self::describe_balance::{
    BalanceMove, BalancedBroker, DescribeBalanceRequest, DescribeBalanceResponse,
};
pub use self::fetch_metadata::{FetchMetadataRequest, FetchMetadataResponse, MetadataEntry};
pub use self::raft_message::{RaftMessageRequest, RaftMessageResponse};
