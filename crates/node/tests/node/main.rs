//! One node, spoken to by raw protocol: what clients rely on, version by version.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly, and say what they measured"
)]

mod acknowledgements;
mod bad_records;
mod bad_requests;
mod balance;
mod cluster;
mod compaction;
mod config_resources;
mod configs;
mod fetch_sessions;
mod follower_fetching;
mod group_offsets;
mod groups;
mod idempotence;
mod import;
mod log_dirs;
mod long_poll;
mod offsets;
mod opening;
mod reassignment;
mod records;
mod repeated;
mod replication;
mod restart;
mod roles;
mod storage_faults;
mod three_brokers;
mod topics;
mod traffic;
