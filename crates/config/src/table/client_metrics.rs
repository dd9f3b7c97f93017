//! Keys of client metrics subscriptions (`ClientMetricsConfigs`, KIP-714), altered on a CLIENT_METRICS resource.

use crate::def::{ConfigDef, int, list};
use crate::table::checks;

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    int("interval.ms", "300000")
        .between(100, 3_600_000)
        .accepted()
        .doc("How often the clients that match push their metrics."),
    list("match", "")
        .check(checks::client_match, "[selector]=[pattern],...")
        .accepted()
        .doc(
            "Which clients push: all whose `client_instance_id`, `client_id`, `client_software_name`, \
             `client_software_version`, `client_source_address` or `client_source_port` matches the regular \
             expression given for it. Empty: every client.",
        ),
    list("metrics", "").accepted().doc(
        "Which metrics they push: those whose names begin with one of these texts; `*` is all of them. Empty: none.",
    ),
];
