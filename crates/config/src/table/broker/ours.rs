//! Keys that Kafka does not have.

use crate::def::{ConfigDef, ValueType, boolean, int, list, long, string, unset};
use crate::table::checks;

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    string("log.durability", "fsync").one_of(&["fsync", "interval", "os"]).high().ours()
        .doc("When a record counts as written: `fsync` after it is on disk, `interval` at once with a sync \
             every `log.durability.interval.ms`, `os` at once with syncing left to the operating system as in \
             Kafka."),
    int("log.durability.interval.ms", "200").at_least(1).ours()
        .doc("How often logs are synced when `log.durability=interval`."),
    string("record.validation", "framing").one_of(&["framing", "full"]).ours()
        .doc("What is checked in compressed batches: `framing` counts, sizes and checksum of the batch, \
             `full` also every record inside, decompressed under a size cap, as Kafka does."),
    int("record.decompressed.max.bytes", "104857600").at_least(1_048_576).ours()
        .doc("The most that one batch may decompress to when the broker has to look inside."),
    unset("admin.listener", ValueType::String).check(checks::host_port, "host:port").ours()
        .doc("Where metrics and health are served over HTTP, as `host:port`. Where no configuration file \
             is given it is 127.0.0.1:9644; with one, there is none unless set."),
    boolean("insecure", "false").ours()
        .doc("Accept that a listener is reachable from other machines without authentication. Needed where \
             such a listener comes from `--set`; elsewhere it only silences the warning."),
    unset("cluster.id", ValueType::String).check(checks::cluster_id, "22 characters of URL-safe base64").ours()
        .doc("The id that a new cluster is formed with; a random one where it is not given. A node whose \
             data belongs to another cluster does not start."),
    string("log.format", "pretty").one_of(&["pretty", "kafka", "json"]).ours()
        .doc("How lines of the process's own log look on standard error."),
    boolean("ottla.balancer.enable", "true").cluster_wide().ours()
        .doc("Whether the active controller moves replicas and leaders by itself, so that all brokers have about \
             as many. Set to false for all brokers, it pauses: moves under way end, no other begins."),
    list("ottla.balancer.drained.brokers", "").cluster_wide().ours()
        .check(checks::node_id, "ids of brokers")
        .doc("Brokers that are to be empty: the balancer moves their replicas elsewhere, and new partitions are \
             not placed on them. Set it for all brokers; `ottla cluster drain` does."),
    int("ottla.balancer.max.moves", "10").between(1, 1000).cluster_wide().ours()
        .doc("How many partitions the balancer has on the move at a time: what bounds the load that it brings."),
    long("ottla.balancer.lost.broker.ms", "1800000").at_least(-1).cluster_wide().ours()
        .doc("How long a broker has to be away until the balancer replaces its replicas on others; -1 for never."),
    long("ottla.balancer.interval.ms", "2000").at_least(10).ours()
        .doc("How often the active controller looks whether the cluster is in balance, if anything has changed."),
];
