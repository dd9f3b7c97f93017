//! Broker keys, one file per theme.

use crate::def::ConfigDef;

mod cleaner;
mod group;
mod log;
mod metrics;
mod node;
mod offsets;
mod ours;
mod quorum;
mod quota;
mod replication;
mod sasl;
mod security;
mod share;
mod socket;
mod ssl;
mod tiered;
mod topics;
mod transaction;

/// Title and rows of each theme, in the order of the reference page.
pub(super) const THEMES: &[(&str, &[ConfigDef])] = &[
    ("Node and cluster", node::DEFS),
    ("Topics", topics::DEFS),
    ("Log", log::DEFS),
    ("Log cleaner", cleaner::DEFS),
    ("Listeners and connections", socket::DEFS),
    ("Replication", replication::DEFS),
    ("Metadata quorum", quorum::DEFS),
    ("Groups", group::DEFS),
    ("Committed offsets", offsets::DEFS),
    ("Transactions", transaction::DEFS),
    ("Share coordinator", share::DEFS),
    ("Quotas", quota::DEFS),
    ("Metrics", metrics::DEFS),
    ("Tiered storage", tiered::DEFS),
    ("SASL", sasl::DEFS),
    ("TLS", ssl::DEFS),
    ("Authorization and tokens", security::DEFS),
    ("Ottla's own", ours::DEFS),
];
