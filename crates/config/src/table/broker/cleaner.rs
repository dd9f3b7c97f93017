//! Compaction.

use crate::def::{ConfigDef, boolean, double, int, long};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    boolean("log.cleaner.enable", "true").doc("Whether compacted topics are cleaned."),
    int("log.cleaner.threads", "1").at_least(0).cluster_wide().doc("How many threads clean."),
    long("log.cleaner.backoff.ms", "15000")
        .at_least(0)
        .cluster_wide()
        .doc("How long a cleaner thread sleeps when it finds nothing to clean."),
    long("log.cleaner.dedupe.buffer.size", "134217728")
        .cluster_wide()
        .doc("Memory for the maps of keys to their last offsets, over all cleaner threads."),
    int("log.cleaner.io.buffer.size", "524288")
        .at_least(0)
        .cluster_wide()
        .doc("Memory for reading and writing while cleaning, over all cleaner threads."),
    double("log.cleaner.io.buffer.load.factor", "0.9")
        .cluster_wide()
        .doc("How full the map of keys may get before a cleaning round is split."),
    double("log.cleaner.io.max.bytes.per.second", "1.7976931348623157E308")
        .cluster_wide()
        .doc("The most that the cleaner reads and writes per second."),
    long("log.cleaner.delete.retention.ms", "86400000")
        .at_least(0)
        .cluster_wide()
        .doc("How long tombstones are kept after cleaning; the default of `delete.retention.ms`."),
    double("log.cleaner.min.cleanable.ratio", "0.5")
        .real(0.0, 1.0)
        .cluster_wide()
        .doc("The uncleaned share at which a log is taken up; the default of `min.cleanable.dirty.ratio`."),
    long("log.cleaner.min.compaction.lag.ms", "0")
        .at_least(0)
        .cluster_wide()
        .doc("How long a record is left alone at least; the default of `min.compaction.lag.ms`."),
    long("log.cleaner.max.compaction.lag.ms", "9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .doc("When a record is eligible at the latest; the default of `max.compaction.lag.ms`."),
];
