//! One API, one file: from the request to domain terms, and back.

pub(crate) mod add_raft_voter;
pub(crate) mod allocate_producer_ids;
pub(crate) mod alter_configs;
pub(crate) mod alter_partition;
pub(crate) mod alter_partition_reassignments;
pub(crate) mod assign_replicas_to_dirs;
pub(crate) mod broker_heartbeat;
pub(crate) mod broker_registration;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_topics;
pub(crate) mod describe_balance;
pub(crate) mod describe_cluster;
pub(crate) mod describe_quorum;
pub(crate) mod elect_leaders;
pub(crate) mod fetch_metadata;
pub(crate) mod incremental_alter_configs;
pub(crate) mod list_partition_reassignments;
pub(crate) mod raft_message;
pub(crate) mod remove_raft_voter;
pub(crate) mod unregister_broker;
pub(crate) mod update_features;
pub(crate) mod update_raft_voter;

use ottla_protocol::{ByteString, ErrorCode};

use crate::error_codes::Coded;

/// An error as responses carry it: code and message.
fn coded<E: Coded + std::error::Error>(error: &E) -> (ErrorCode, Option<ByteString>) {
    (error.code(), Some(error.to_string().into()))
}

#[cfg(test)]
mod api_test;
#[cfg(test)]
mod voters_test;
