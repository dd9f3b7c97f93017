//! Topic keys (`TopicConfig`, `LogConfig`). `or` names the broker keys that supply the default.

use crate::def::{ConfigDef, ValueType, boolean, double, int, list, long, string, unset};
use crate::table::checks;

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("cleanup.policy", "delete").one_of(&["compact", "delete"]).or(&["log.cleanup.policy"]).doc(
        "How old data goes: `delete` drops whole segments by age and size, `compact` keeps the last \
             record of each key. Both may be given.",
    ),
    int("compression.gzip.level", "-1")
        .check(checks::gzip_level, "[1,...,9] or -1")
        .or(&["compression.gzip.level"])
        .doc("Effort spent when the broker itself compresses with gzip; -1 is the library's choice."),
    int("compression.lz4.level", "9")
        .between(1, 17)
        .or(&["compression.lz4.level"])
        .doc("Effort spent when the broker itself compresses with lz4."),
    string("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .or(&["compression.type"])
        .doc(
            "The codec that batches are stored with. `producer` keeps what the producer chose; any other \
             value recompresses where it differs.",
        ),
    int("compression.zstd.level", "3")
        .between(-131_072, 22)
        .or(&["compression.zstd.level"])
        .doc("Effort spent when the broker itself compresses with zstd."),
    long("delete.retention.ms", "86400000").at_least(0).or(&["log.cleaner.delete.retention.ms"]).doc(
        "How long a compacted topic keeps tombstones and transaction markers after cleaning, so that \
             a slow reader still sees the deletion.",
    ),
    long("file.delete.delay.ms", "60000")
        .at_least(0)
        .or(&["log.segment.delete.delay.ms"])
        .accepted()
        .doc("How long a dropped segment file stays on disk (renamed) before it is removed."),
    long("flush.messages", "9223372036854775807")
        .at_least(1)
        .or(&["log.flush.interval.messages"])
        .doc("Syncs the log after this many records, on top of what `log.durability` already does."),
    long("flush.ms", "9223372036854775807")
        .at_least(0)
        .or(&["log.flush.interval.ms", "log.flush.scheduler.interval.ms"])
        .doc("Syncs the log at least this often, on top of what `log.durability` already does."),
    list("follower.replication.throttled.replicas", "")
        .check(checks::throttled_replica, "[partitionId]:[brokerId],[partitionId]:[brokerId],...")
        .doc(
            "Replicas whose fetching is throttled on the follower, as `partition:broker` pairs, or `*` \
             for all.",
        ),
    int("index.interval.bytes", "4096")
        .at_least(0)
        .or(&["log.index.interval.bytes"])
        .doc("An index entry is written about once per this many bytes of log."),
    unset("internal.segment.bytes", ValueType::Int)
        .internal()
        .doc("Overrides `segment.bytes` below its usual minimum; for tests."),
    list("leader.replication.throttled.replicas", "")
        .check(checks::throttled_replica, "[partitionId]:[brokerId],[partitionId]:[brokerId],...")
        .doc(
            "Replicas whose serving is throttled on the leader, as `partition:broker` pairs, or `*` for \
             all.",
        ),
    long("local.retention.bytes", "-2")
        .at_least(-2)
        .or(&["log.local.retention.bytes"])
        .accepted()
        .doc("Bytes of a tiered partition kept on local disk; -2 means as much as `retention.bytes`."),
    long("local.retention.ms", "-2").at_least(-2).or(&["log.local.retention.ms"]).accepted().doc(
        "How long a tiered partition's segments stay on local disk; -2 means as long as \
             `retention.ms`.",
    ),
    long("max.compaction.lag.ms", "9223372036854775807")
        .at_least(1)
        .or(&["log.cleaner.max.compaction.lag.ms"])
        .doc(
            "A record of a compacted topic is eligible for cleaning at the latest this long after it was \
             written.",
        ),
    int("max.message.bytes", "1048588")
        .at_least(0)
        .or(&["message.max.bytes"])
        .doc("The largest record batch that is accepted, compressed as it arrives."),
    long("message.timestamp.after.max.ms", "3600000")
        .at_least(0)
        .or(&["log.message.timestamp.after.max.ms"])
        .doc("How far in the future of the broker's clock a record's CreateTime may lie."),
    long("message.timestamp.before.max.ms", "9223372036854775807")
        .at_least(0)
        .or(&["log.message.timestamp.before.max.ms"])
        .doc("How far in the past of the broker's clock a record's CreateTime may lie."),
    string("message.timestamp.type", "CreateTime")
        .one_of(&["CreateTime", "LogAppendTime"])
        .or(&["log.message.timestamp.type"])
        .doc("Whether records carry the producer's time or the time of their append."),
    double("min.cleanable.dirty.ratio", "0.5")
        .real(0.0, 1.0)
        .or(&["log.cleaner.min.cleanable.ratio"])
        .doc("The share of a compacted log that must be uncleaned before the cleaner takes it up."),
    long("min.compaction.lag.ms", "0")
        .at_least(0)
        .or(&["log.cleaner.min.compaction.lag.ms"])
        .doc("A record of a compacted topic is left alone at least this long after it was written."),
    int("min.insync.replicas", "1").at_least(1).or(&["min.insync.replicas"]).doc(
        "How many replicas must have a record before a write with acks=all succeeds; fewer in sync \
             means that such writes are refused. Unset: as for brokers.",
    ),
    boolean("preallocate", "false")
        .or(&["log.preallocate"])
        .doc("Whether a new segment file is given its full size at once."),
    boolean("remote.log.copy.disable", "false")
        .accepted()
        .doc("Stops the copying of a tiered topic's segments to remote storage."),
    boolean("remote.log.delete.on.disable", "false")
        .accepted()
        .doc("Whether remote data is deleted when tiering is switched off for the topic."),
    boolean("remote.storage.enable", "false")
        .accepted()
        .doc("Tiered storage for the topic. Not offered yet: `true` is refused."),
    long("retention.bytes", "-1").or(&["log.retention.bytes"]).doc(
        "The most bytes that a partition keeps before its oldest segments are dropped; -1 is no \
             limit.",
    ),
    long("retention.ms", "604800000")
        .at_least(-1)
        .or(&["log.retention.ms", "log.retention.minutes", "log.retention.hours"])
        .doc("How long a partition keeps its segments; -1 is for ever."),
    int("segment.bytes", "1073741824").at_least(1_048_576).or(&["log.segment.bytes"]).doc(
        "The size at which a new segment file is begun. Retention and cleaning work on whole \
             segments.",
    ),
    int("segment.index.bytes", "10485760")
        .at_least(4)
        .or(&["log.index.size.max.bytes"])
        .doc("The size of a segment's offset index at which a new segment is begun."),
    long("segment.jitter.ms", "0")
        .at_least(0)
        .or(&["log.roll.jitter.ms", "log.roll.jitter.hours"])
        .doc("The most random time taken off `segment.ms`, so that partitions do not roll all at once."),
    long("segment.ms", "604800000")
        .at_least(1)
        .or(&["log.roll.ms", "log.roll.hours"])
        .doc("The age at which a new segment file is begun even if the present one is not full."),
    boolean("unclean.leader.election.enable", "false").or(&["unclean.leader.election.enable"]).doc(
        "Whether a replica that is not in sync may become leader as a last resort, which loses \
             records.",
    ),
];
