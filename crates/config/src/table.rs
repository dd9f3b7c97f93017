//! All rows, and finding one.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::def::ConfigDef;

mod broker;
mod checks;
mod client_metrics;
mod group;
mod topic;

/// Topic keys, in the order of their names.
pub const TOPIC: &[ConfigDef] = topic::DEFS;

/// Group keys, in the order of their names.
pub const GROUP: &[ConfigDef] = group::DEFS;

/// Keys of client metrics subscriptions, in the order of their names.
pub const CLIENT_METRICS: &[ConfigDef] = client_metrics::DEFS;

/// Broker keys by theme; each theme has a title for the reference page.
pub const BROKER: &[(&str, &[ConfigDef])] = broker::THEMES;

/// All broker keys.
pub fn broker_defs() -> impl Iterator<Item = &'static ConfigDef> {
    BROKER.iter().flat_map(|(_, defs)| defs.iter())
}

/// The row of the broker key `name`. A key of one listener (`listener.name.<listener>.<key>`) has the
/// row of the plain key.
pub fn broker(name: &str) -> Option<&'static ConfigDef> {
    static INDEX: LazyLock<HashMap<&str, &ConfigDef>> =
        LazyLock::new(|| broker_defs().map(|def| (def.name, def)).collect());
    INDEX.get(name).or_else(|| INDEX.get(without_listener_prefix(name)?)).copied()
}

/// The row of the topic key `name`.
pub fn topic(name: &str) -> Option<&'static ConfigDef> {
    TOPIC.iter().find(|def| def.name == name)
}

/// The row of the group key `name`.
pub fn group(name: &str) -> Option<&'static ConfigDef> {
    GROUP.iter().find(|def| def.name == name)
}

/// The row of the client metrics key `name`.
pub fn client_metrics(name: &str) -> Option<&'static ConfigDef> {
    CLIENT_METRICS.iter().find(|def| def.name == name)
}

/// The key that `listener.name.<listener>.[<mechanism>.]<key>` sets for one listener.
fn without_listener_prefix(name: &str) -> Option<&str> {
    let (_listener, key) = name.strip_prefix("listener.name.")?.split_once('.')?;
    let mechanism = ["plain.", "gssapi.", "oauthbearer.", "scram-sha-256.", "scram-sha-512."];
    Some(mechanism.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key))
}

/// The known key that `name` most likely meant.
pub fn nearest(name: &str, defs: impl Iterator<Item = &'static ConfigDef>) -> Option<&'static str> {
    let limit = (name.len() / 4).clamp(2, 8);
    defs.filter(|def| !def.internal)
        .map(|def| (distance(name, def.name), def.name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// Edit distance, one row of the matrix at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.bytes().take(128).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[path = "table_test.rs"]
mod table_test;
