//! Remote log storage. Not offered yet.

use crate::def::{ConfigDef, ValueType, boolean, double, int, long, string, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    boolean("remote.log.storage.system.enable", "false")
        .accepted()
        .doc("Whether segments may be moved to remote storage. Not offered yet."),
    unset("remote.log.storage.manager.class.name", ValueType::String)
        .non_empty()
        .accepted()
        .doc("The Java class that stores segments remotely."),
    unset("remote.log.storage.manager.class.path", ValueType::String)
        .accepted()
        .doc("Where the storage manager's Java classes lie."),
    string("remote.log.storage.manager.impl.prefix", "rsm.config.")
        .non_empty()
        .accepted()
        .doc("The prefix of keys handed to the storage manager."),
    string(
        "remote.log.metadata.manager.class.name",
        "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
    )
    .non_empty()
    .accepted()
    .doc("The Java class that keeps track of remote segments."),
    unset("remote.log.metadata.manager.class.path", ValueType::String)
        .accepted()
        .doc("Where the metadata manager's Java classes lie."),
    string("remote.log.metadata.manager.impl.prefix", "rlmm.config.")
        .non_empty()
        .accepted()
        .doc("The prefix of keys handed to the metadata manager."),
    unset("remote.log.metadata.manager.listener.name", ValueType::String)
        .non_empty()
        .accepted()
        .doc("The listener over which the metadata manager reaches the brokers."),
    int("remote.log.metadata.custom.metadata.max.bytes", "128")
        .at_least(0)
        .low()
        .accepted()
        .doc("The most bytes that a storage manager may attach to a segment."),
    long("remote.log.index.file.cache.total.size.bytes", "1073741824")
        .at_least(1)
        .low()
        .cluster_wide()
        .accepted()
        .doc("Disk space for indexes fetched from remote storage."),
    long("remote.log.index.file.cache.ttl.ms", "900000")
        .at_least(-1)
        .low()
        .accepted()
        .internal()
        .doc("How long an unused index from remote storage stays cached."),
    int("remote.log.manager.thread.pool.size", "2")
        .at_least(1)
        .accepted()
        .doc("Size of Kafka's pool for work on remote storage."),
    int("remote.log.manager.copier.thread.pool.size", "10")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for copying segments away."),
    int("remote.log.manager.expiration.thread.pool.size", "10")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for deleting remote segments."),
    int("remote.log.manager.follower.thread.pool.size", "2")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for the work of followers."),
    long("remote.log.manager.task.interval.ms", "30000")
        .at_least(1)
        .low()
        .accepted()
        .doc("How often segments are looked for that should be copied or deleted."),
    long("remote.log.manager.task.retry.backoff.ms", "500")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("First pause after a failure of remote storage."),
    long("remote.log.manager.task.retry.backoff.max.ms", "30000")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("Longest pause after failures of remote storage."),
    double("remote.log.manager.task.retry.jitter", "0.2")
        .real(0.0, 0.5)
        .low()
        .accepted()
        .internal()
        .doc("Random share added to the pause after a failure."),
    long("remote.log.manager.copy.max.bytes.per.second", "9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("The most bytes per second copied to remote storage."),
    int("remote.log.manager.copy.quota.window.num", "11")
        .at_least(1)
        .accepted()
        .doc("How many samples are kept for that limit."),
    int("remote.log.manager.copy.quota.window.size.seconds", "1")
        .at_least(1)
        .accepted()
        .doc("How long a sample for that limit lasts."),
    long("remote.log.manager.fetch.max.bytes.per.second", "9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("The most bytes per second fetched from remote storage."),
    int("remote.log.manager.fetch.quota.window.num", "11")
        .at_least(1)
        .accepted()
        .doc("How many samples are kept for that limit."),
    int("remote.log.manager.fetch.quota.window.size.seconds", "1")
        .at_least(1)
        .accepted()
        .doc("How long a sample for that limit lasts."),
    int("remote.log.reader.threads", "10")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for reading remote segments."),
    int("remote.log.reader.max.pending.tasks", "100")
        .at_least(1)
        .accepted()
        .doc("How many remote reads may wait."),
    int("remote.fetch.max.wait.ms", "500")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("How long a fetch waits for remote data."),
    long("remote.list.offsets.request.timeout.ms", "30000")
        .at_least(1)
        .cluster_wide()
        .accepted()
        .doc("How long a lookup of offsets waits for remote data."),
    boolean("follower.fetch.last.tiered.offset.enable", "false")
        .cluster_wide()
        .accepted()
        .doc("Whether a new follower begins at the last tiered offset."),
];
