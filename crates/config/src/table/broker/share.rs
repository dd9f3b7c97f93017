//! The topic `__share_group_state` and its coordinator.

use crate::def::{ConfigDef, int, short};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    int("share.coordinator.state.topic.num.partitions", "50")
        .at_least(1)
        .high()
        .accepted()
        .doc("Partitions of `__share_group_state`; must not change once the topic exists."),
    short("share.coordinator.state.topic.replication.factor", "3")
        .at_least(1)
        .high()
        .accepted()
        .doc("Replicas of `__share_group_state`."),
    short("share.coordinator.state.topic.min.isr", "2")
        .at_least(1)
        .high()
        .accepted()
        .doc("The min.insync.replicas of `__share_group_state`."),
    int("share.coordinator.state.topic.segment.bytes", "104857600")
        .at_least(1)
        .high()
        .accepted()
        .doc("Segment size of `__share_group_state`."),
    int("share.coordinator.state.topic.compression.codec", "0")
        .high()
        .accepted()
        .doc("Codec of the batches in `__share_group_state`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."),
    int("share.coordinator.state.topic.prune.interval.ms", "300000")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("How often records of `__share_group_state` that nobody needs are deleted."),
    int("share.coordinator.load.buffer.size", "5242880")
        .at_least(1)
        .high()
        .accepted()
        .doc("How much is read at a time when a coordinator loads its partition."),
    int("share.coordinator.snapshot.update.records.per.snapshot", "500")
        .between(0, 500)
        .accepted()
        .doc("How many small updates may follow a full record of a share partition's state."),
    int("share.coordinator.cold.partition.snapshot.interval.ms", "300000")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("How often idle share partitions get a fresh full record."),
    int("share.coordinator.threads", "1")
        .at_least(1)
        .accepted()
        .doc("Size of Kafka's pool for share coordination; Ottla's shards run on the shared runtime."),
    int("share.coordinator.write.timeout.ms", "5000")
        .at_least(1)
        .high()
        .accepted()
        .doc("How long a write of share state may take."),
    int("share.coordinator.append.linger.ms", "-1")
        .at_least(-1)
        .accepted()
        .doc("How long Kafka gathers changes of share state before it writes them; -1 lets it adapt."),
    int("share.coordinator.cached.buffer.max.bytes", "1048588")
        .at_least(524_288)
        .cluster_wide()
        .accepted()
        .doc("Size up to which Kafka keeps a write buffer of the coordinator for reuse."),
];
