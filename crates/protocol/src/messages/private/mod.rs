//! This platform's own APIs between its nodes: keys from 10,000 on, never advertised to clients.

pub mod fetch_metadata;
pub mod raft_message;

pub use self::fetch_metadata::{FetchMetadataRequest, FetchMetadataResponse, MetadataEntry};
pub use self::raft_message::{RaftMessageRequest, RaftMessageResponse};
