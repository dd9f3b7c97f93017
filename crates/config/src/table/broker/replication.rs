//! How followers follow.

use crate::def::{ConfigDef, ValueType, int, long, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    long("replica.lag.time.max.ms", "30000")
        .high()
        .doc("A follower that has not caught up for this long leaves the in-sync set."),
    int("replica.fetch.max.bytes", "1048576")
        .at_least(0)
        .doc("Bytes that a follower asks for per partition."),
    int("replica.fetch.min.bytes", "1")
        .high()
        .doc("Bytes that a leader gathers before it answers a follower, within the wait time."),
    int("replica.fetch.wait.max.ms", "500")
        .high()
        .doc("How long a leader may keep a follower's fetch waiting for data."),
    int("replica.fetch.response.max.bytes", "10485760")
        .at_least(0)
        .doc("Bytes that a follower asks for over all partitions of one fetch."),
    int("replica.fetch.backoff.ms", "1000")
        .at_least(0)
        .doc("How long a follower pauses for a partition after an error."),
    long("replica.high.watermark.checkpoint.interval.ms", "5000")
        .high()
        .doc("How often high watermarks are written down."),
    int("replica.socket.timeout.ms", "30000")
        .high()
        .doc("How long a follower waits for the answer to a fetch."),
    int("replica.socket.receive.buffer.bytes", "65536")
        .high()
        .doc("The kernel's receive buffer of a follower's connection."),
    unset("replica.selector.class", ValueType::String).doc(
        "The Java class that picks the replica to read from. Ottla knows Kafka's two by their names: \
             org.apache.kafka.common.replica.RackAwareReplicaSelector has consumers read in their rack, \
             org.apache.kafka.common.replica.LeaderSelector, as without one, from leaders.",
    ),
    int("num.replica.fetchers", "1")
        .at_least(1)
        .high()
        .cluster_wide()
        .doc("How many connections a follower keeps to each leader's broker."),
    unset("num.replica.alter.log.dirs.threads", ValueType::Int)
        .high()
        .accepted()
        .doc("How many threads move replicas between log directories."),
    int("fetch.max.bytes", "57671680")
        .at_least(1024)
        .doc("The most bytes that one fetch response carries, whoever asks."),
    int("max.incremental.fetch.session.cache.slots", "1000")
        .at_least(0)
        .doc("How many incremental fetch sessions are remembered."),
    int("fetch.purgatory.purge.interval.requests", "1000")
        .accepted()
        .doc("How often answered fetches are swept from Kafka's waiting list; Ottla removes them at once."),
    int("producer.purgatory.purge.interval.requests", "1000")
        .accepted()
        .doc("How often answered produces are swept from Kafka's waiting list; Ottla removes them at once."),
    int("delete.records.purgatory.purge.interval.requests", "1").accepted().doc(
        "How often answered record deletions are swept from Kafka's waiting list; Ottla removes them \
             at once.",
    ),
    int("share.fetch.purgatory.purge.interval.requests", "1000").accepted().doc(
        "How often answered share fetches are swept from Kafka's waiting list; Ottla removes them at \
             once.",
    ),
    long("leader.replication.throttled.rate", "9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .internal()
        .doc("Bytes per second that this broker serves to throttled replicas."),
    long("follower.replication.throttled.rate", "9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .internal()
        .doc("Bytes per second that this broker fetches for throttled replicas."),
    long("replica.alter.log.dirs.io.max.bytes.per.second", "9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .internal()
        .doc("Bytes per second spent on moving replicas between log directories."),
];
