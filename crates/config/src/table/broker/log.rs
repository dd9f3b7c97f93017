//! Files, segments, retention and syncing. Topic keys override most of these.

use crate::def::{ConfigDef, ValueType, boolean, int, list, long, string, unset};
use crate::table::checks;

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    unset("log.dirs", ValueType::List).high().doc(
        "The directories that hold partitions, separated by commas. Where no configuration file is \
             given it is `./ottla-data`.",
    ),
    list("log.dir", "/tmp/kafka-logs")
        .high()
        .doc("The one directory that holds partitions, where `log.dirs` is not given."),
    int("log.segment.bytes", "1073741824")
        .at_least(1_048_576)
        .high()
        .cluster_wide()
        .doc("The size at which a new segment file is begun; the default of `segment.bytes`."),
    unset("log.roll.ms", ValueType::Long)
        .high()
        .cluster_wide()
        .or(&["log.roll.hours"])
        .doc("The age at which a new segment file is begun, in milliseconds; the default of `segment.ms`."),
    int("log.roll.hours", "168")
        .at_least(1)
        .high()
        .doc("The age at which a new segment file is begun, in hours, where `log.roll.ms` is not given."),
    unset("log.roll.jitter.ms", ValueType::Long).high().cluster_wide().or(&["log.roll.jitter.hours"]).doc(
        "The most random time taken off the age at which segments roll; the default of \
             `segment.jitter.ms`.",
    ),
    int("log.roll.jitter.hours", "0")
        .at_least(0)
        .high()
        .doc("The same in hours, where `log.roll.jitter.ms` is not given."),
    unset("log.retention.ms", ValueType::Long)
        .high()
        .cluster_wide()
        .or(&["log.retention.minutes", "log.retention.hours"])
        .doc("How long segments are kept, in milliseconds, -1 for ever; the default of `retention.ms`."),
    unset("log.retention.minutes", ValueType::Int)
        .high()
        .doc("How long segments are kept, in minutes, where `log.retention.ms` is not given."),
    int("log.retention.hours", "168")
        .high()
        .doc("How long segments are kept, in hours, where neither of the finer units is given."),
    long("log.retention.bytes", "-1")
        .high()
        .cluster_wide()
        .doc("The most bytes a partition keeps, -1 without limit; the default of `retention.bytes`."),
    long("log.retention.check.interval.ms", "300000")
        .at_least(1)
        .doc("How often retention looks for segments to drop."),
    list("log.cleanup.policy", "delete")
        .one_of(&["compact", "delete"])
        .cluster_wide()
        .doc("How old data goes; the default of `cleanup.policy`."),
    int("log.index.interval.bytes", "4096").at_least(0).cluster_wide().doc(
        "An index entry is written about once per this many bytes; the default of \
             `index.interval.bytes`.",
    ),
    int("log.index.size.max.bytes", "10485760")
        .at_least(4)
        .cluster_wide()
        .doc("The size of an offset index at which a segment rolls; the default of `segment.index.bytes`."),
    long("log.flush.interval.messages", "9223372036854775807").at_least(1).high().cluster_wide().doc(
        "Syncs a log after this many records; the default of `flush.messages`. `log.durability` \
             decides about acknowledgements.",
    ),
    unset("log.flush.interval.ms", ValueType::Long)
        .high()
        .cluster_wide()
        .or(&["log.flush.scheduler.interval.ms"])
        .doc(
            "Syncs a log at least this often; the default of `flush.ms`. `log.durability` decides about \
             acknowledgements.",
        ),
    long("log.flush.scheduler.interval.ms", "9223372036854775807")
        .high()
        .doc("How often it is checked whether a log is due to be synced."),
    int("log.flush.offset.checkpoint.interval.ms", "60000").at_least(0).high().doc(
        "How often the offsets up to which logs are known to be synced are written down, which \
             shortens recovery.",
    ),
    int("log.flush.start.offset.checkpoint.interval.ms", "60000")
        .at_least(0)
        .high()
        .doc("How often the first offsets of logs are written down, so that deleted records stay deleted."),
    boolean("log.preallocate", "false")
        .cluster_wide()
        .doc("Whether a new segment file is given its full size at once; the default of `preallocate`."),
    long("log.segment.delete.delay.ms", "60000")
        .at_least(0)
        .high()
        .cluster_wide()
        .doc("How long a dropped segment file stays on disk (renamed) before it is removed."),
    string("log.message.timestamp.type", "CreateTime")
        .one_of(&["CreateTime", "LogAppendTime"])
        .cluster_wide()
        .doc(
            "Whether records carry the producer's time or that of their append; the default of \
             `message.timestamp.type`.",
        ),
    long("log.message.timestamp.before.max.ms", "9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .doc("How far in the past of the broker's clock a record's CreateTime may lie."),
    long("log.message.timestamp.after.max.ms", "3600000")
        .at_least(0)
        .cluster_wide()
        .doc("How far in the future of the broker's clock a record's CreateTime may lie."),
    long("log.dir.failure.timeout.ms", "30000").at_least(1).low().accepted().doc(
        "How long a broker that lost a log directory waits for the controller to learn of it before \
             it stops.",
    ),
    long("log.initial.task.delay.ms", "30000")
        .at_least(0)
        .low()
        .accepted()
        .internal()
        .doc("How long after the start the periodic work on logs begins."),
    long("log.local.retention.ms", "-2")
        .at_least(-2)
        .cluster_wide()
        .accepted()
        .doc("How long tiered segments stay on local disk; the default of `local.retention.ms`."),
    long("log.local.retention.bytes", "-2").at_least(-2).cluster_wide().accepted().doc(
        "How many bytes of a tiered partition stay on local disk; the default of \
             `local.retention.bytes`.",
    ),
    int("num.recovery.threads.per.data.dir", "2")
        .at_least(1)
        .high()
        .cluster_wide()
        .doc("How many threads recover and close the logs of one directory."),
    int("message.max.bytes", "1048588")
        .at_least(0)
        .high()
        .cluster_wide()
        .doc("The largest record batch that is accepted; the default of `max.message.bytes`."),
    string("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .high()
        .cluster_wide()
        .doc("The codec that batches are stored with; `producer` keeps what the producer chose."),
    int("compression.gzip.level", "-1")
        .check(checks::gzip_level, "[1,...,9] or -1")
        .cluster_wide()
        .doc("Effort spent when the broker itself compresses with gzip; -1 is the library's choice."),
    int("compression.lz4.level", "9")
        .between(1, 17)
        .cluster_wide()
        .doc("Effort spent when the broker itself compresses with lz4."),
    int("compression.zstd.level", "3")
        .between(-131_072, 22)
        .cluster_wide()
        .doc("Effort spent when the broker itself compresses with zstd."),
    int("producer.id.expiration.ms", "86400000")
        .at_least(1)
        .low()
        .cluster_wide()
        .doc("How long the state of an idle producer is kept for telling duplicates."),
    int("producer.id.expiration.check.interval.ms", "600000")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("How often idle producers are looked for."),
    list("cordoned.log.dirs", "")
        .per_broker()
        .doc("Log directories that get no new partitions; `*` is all of them. What lies in them stays."),
];
