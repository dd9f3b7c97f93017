//! How rates are measured; the limits themselves are set with client quotas.

use crate::def::{ConfigDef, ValueType, int, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    int("quota.window.num", "11")
        .at_least(1)
        .low()
        .accepted()
        .doc("How many samples are kept for client quotas."),
    int("quota.window.size.seconds", "1")
        .at_least(1)
        .low()
        .accepted()
        .doc("How long a sample for client quotas lasts."),
    int("replication.quota.window.num", "11")
        .at_least(1)
        .low()
        .doc("How many samples are kept for replication throttles."),
    int("replication.quota.window.size.seconds", "1")
        .at_least(1)
        .low()
        .doc("How long a sample for replication throttles lasts."),
    int("alter.log.dirs.replication.quota.window.num", "11")
        .at_least(1)
        .low()
        .accepted()
        .doc("How many samples are kept for throttled moves between log directories."),
    int("alter.log.dirs.replication.quota.window.size.seconds", "1")
        .at_least(1)
        .low()
        .accepted()
        .doc("How long a sample for throttled moves between log directories lasts."),
    int("controller.quota.window.num", "11")
        .at_least(1)
        .low()
        .accepted()
        .doc("How many samples are kept for quotas on changes of topics."),
    int("controller.quota.window.size.seconds", "1")
        .at_least(1)
        .low()
        .accepted()
        .doc("How long a sample for quotas on changes of topics lasts."),
    unset("client.quota.callback.class", ValueType::Class).low().accepted().doc(
        "A Java class that decides quotas. Java code cannot run here: set it and only a warning is \
             given.",
    ),
];
