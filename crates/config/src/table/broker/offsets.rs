//! The topic `__consumer_offsets`.

use crate::def::{ConfigDef, int, long, short};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    int("offset.metadata.max.bytes", "4096")
        .high()
        .doc("The longest note that a client may store along with an offset."),
    int("offsets.commit.timeout.ms", "5000")
        .at_least(1)
        .high()
        .doc("How long a commit waits for enough replicas before it fails."),
    int("offsets.load.buffer.size", "5242880")
        .at_least(1)
        .high()
        .accepted()
        .doc("How much is read at a time when a coordinator loads its partition."),
    int("offsets.retention.minutes", "10080")
        .at_least(1)
        .high()
        .doc("How long the offsets of a group without members are kept."),
    long("offsets.retention.check.interval.ms", "600000")
        .at_least(1)
        .high()
        .doc("How often expired offsets are looked for."),
    int("offsets.topic.num.partitions", "50")
        .at_least(1)
        .high()
        .doc("Partitions of `__consumer_offsets`; must not change once the topic exists."),
    short("offsets.topic.replication.factor", "3").at_least(1).high().doc(
        "Replicas of `__consumer_offsets`. Unset: 3, or as many as there are brokers when these are \
             fewer.",
    ),
    int("offsets.topic.segment.bytes", "104857600")
        .at_least(1)
        .high()
        .doc("Segment size of `__consumer_offsets`; small, so that it is compacted and loaded quickly."),
    int("offsets.topic.compression.codec", "0")
        .high()
        .accepted()
        .doc("Codec of the batches in `__consumer_offsets`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."),
];
