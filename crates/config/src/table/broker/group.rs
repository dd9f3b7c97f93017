//! Group membership: classic, consumer (KIP-848), share and streams.

use crate::def::{ConfigDef, int, list, string};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("group.coordinator.rebalance.protocols", "classic,consumer,streams")
        .one_of(&["consumer", "classic", "share", "streams"])
        .doc("Which group protocols are offered."),
    int("group.coordinator.threads", "4")
        .at_least(1)
        .high()
        .accepted()
        .doc("Size of Kafka's pool for group coordination; Ottla's shards run on the shared runtime."),
    int("group.coordinator.background.threads", "2")
        .at_least(1)
        .high()
        .accepted()
        .doc("Size of Kafka's pool for computing assignments; Ottla's shards run on the shared runtime."),
    int("group.coordinator.append.linger.ms", "-1").at_least(-1).accepted().doc(
        "How long Kafka gathers changes of groups before it writes them; -1 lets it adapt. Ottla \
             gathers while the last write is in flight.",
    ),
    int("group.coordinator.cached.buffer.max.bytes", "1048588")
        .at_least(524_288)
        .cluster_wide()
        .accepted()
        .doc("Size up to which Kafka keeps a write buffer of the coordinator for reuse."),
    int("group.initial.rebalance.delay.ms", "3000")
        .doc("How long a new classic group waits for more members before its first assignment."),
    int("group.max.session.timeout.ms", "1800000")
        .doc("The longest session timeout that a member of a classic group may ask for."),
    int("group.min.session.timeout.ms", "6000")
        .doc("The shortest session timeout that a member of a classic group may ask for."),
    int("group.max.size", "2147483647").at_least(1).doc("The most members that a classic group admits."),
    int("group.consumer.assignment.interval.ms", "1000").at_least(0).cluster_wide().accepted().doc(
        "The least time between two assignments of a consumer group; the default of \
             `consumer.assignment.interval.ms`.",
    ),
    int("group.consumer.min.assignment.interval.ms", "0")
        .at_least(0)
        .accepted()
        .doc("The smallest value that `consumer.assignment.interval.ms` may have."),
    int("group.consumer.max.assignment.interval.ms", "15000")
        .at_least(0)
        .accepted()
        .doc("The largest value that `consumer.assignment.interval.ms` may have."),
    list("group.consumer.assignors", "uniform,range")
        .accepted()
        .doc("The assignors offered to consumer groups; the first is the default."),
    int("group.consumer.heartbeat.interval.ms", "5000").at_least(1).accepted().doc(
        "How often members of consumer groups send a heartbeat; the default of \
             `consumer.heartbeat.interval.ms`.",
    ),
    int("group.consumer.min.heartbeat.interval.ms", "5000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `consumer.heartbeat.interval.ms` may have."),
    int("group.consumer.max.heartbeat.interval.ms", "15000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `consumer.heartbeat.interval.ms` may have."),
    int("group.consumer.session.timeout.ms", "45000").at_least(1).accepted().doc(
        "How long a member of a consumer group may be silent; the default of \
             `consumer.session.timeout.ms`.",
    ),
    int("group.consumer.min.session.timeout.ms", "45000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `consumer.session.timeout.ms` may have."),
    int("group.consumer.max.session.timeout.ms", "60000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `consumer.session.timeout.ms` may have."),
    int("group.consumer.max.size", "2147483647")
        .at_least(1)
        .accepted()
        .doc("The most members that a consumer group (KIP-848) admits."),
    string("group.consumer.migration.policy", "bidirectional")
        .one_of_any_case(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"])
        .accepted()
        .doc(
            "Whether groups may change between the classic and the consumer protocol while they have \
             members.",
        ),
    int("group.consumer.regex.refresh.interval.ms", "600000")
        .at_least(10_000)
        .accepted()
        .internal()
        .doc("How often subscriptions by pattern are matched against the topics again."),
    int("group.share.assignment.interval.ms", "1000").at_least(0).cluster_wide().accepted().doc(
        "The least time between two assignments of a share group; the default of \
             `share.assignment.interval.ms`.",
    ),
    int("group.share.min.assignment.interval.ms", "0")
        .at_least(0)
        .accepted()
        .doc("The smallest value that `share.assignment.interval.ms` may have."),
    int("group.share.max.assignment.interval.ms", "15000")
        .at_least(0)
        .accepted()
        .doc("The largest value that `share.assignment.interval.ms` may have."),
    list("group.share.assignors", "simple").accepted().doc("The assignors offered to share groups."),
    int("group.share.heartbeat.interval.ms", "5000").at_least(1).accepted().doc(
        "How often members of share groups send a heartbeat; the default of \
             `share.heartbeat.interval.ms`.",
    ),
    int("group.share.min.heartbeat.interval.ms", "5000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `share.heartbeat.interval.ms` may have."),
    int("group.share.max.heartbeat.interval.ms", "15000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `share.heartbeat.interval.ms` may have."),
    int("group.share.session.timeout.ms", "45000")
        .at_least(1)
        .accepted()
        .doc("How long a member of a share group may be silent; the default of `share.session.timeout.ms`."),
    int("group.share.min.session.timeout.ms", "45000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `share.session.timeout.ms` may have."),
    int("group.share.max.session.timeout.ms", "60000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `share.session.timeout.ms` may have."),
    int("group.share.max.size", "200")
        .between(1, 1000)
        .accepted()
        .doc("The most members that a share group admits."),
    int("group.share.max.share.sessions", "2000")
        .at_least(1)
        .accepted()
        .doc("The most share sessions that the broker remembers."),
    int("group.share.initialize.retry.interval.ms", "30000")
        .at_least(1)
        .low()
        .accepted()
        .internal()
        .doc("How often the setting up of a share group's state is tried again."),
    int("group.share.delivery.count.limit", "5")
        .between(2, 10)
        .accepted()
        .doc("How many times a record is handed out; the default of `share.delivery.count.limit`."),
    int("group.share.min.delivery.count.limit", "2")
        .between(2, 5)
        .accepted()
        .doc("The smallest value that `share.delivery.count.limit` may have."),
    int("group.share.max.delivery.count.limit", "10")
        .between(5, 25)
        .accepted()
        .doc("The largest value that `share.delivery.count.limit` may have."),
    int("group.share.partition.max.record.locks", "2000").between(100, 10_000).accepted().doc(
        "Records of a partition that may be held at a time; the default of \
             `share.partition.max.record.locks`.",
    ),
    int("group.share.min.partition.max.record.locks", "100")
        .between(100, 2000)
        .accepted()
        .doc("The smallest value that `share.partition.max.record.locks` may have."),
    int("group.share.max.partition.max.record.locks", "4000")
        .between(2000, 10_000)
        .accepted()
        .doc("The largest value that `share.partition.max.record.locks` may have."),
    int("group.share.record.lock.duration.ms", "30000")
        .between(1000, 3_600_000)
        .accepted()
        .doc("How long a member holds a record; the default of `share.record.lock.duration.ms`."),
    int("group.share.min.record.lock.duration.ms", "15000")
        .between(1000, 30_000)
        .accepted()
        .doc("The smallest value that `share.record.lock.duration.ms` may have."),
    int("group.share.max.record.lock.duration.ms", "60000")
        .between(30_000, 3_600_000)
        .accepted()
        .doc("The largest value that `share.record.lock.duration.ms` may have."),
    string(
        "group.share.persister.class.name",
        "org.apache.kafka.server.share.persister.DefaultStatePersister",
    )
    .accepted()
    .internal()
    .doc("The Java class that keeps the state of share groups. Ottla has its own."),
    int("group.streams.assignment.interval.ms", "1000").at_least(0).cluster_wide().accepted().doc(
        "The least time between two assignments of a streams group; the default of \
             `streams.assignment.interval.ms`.",
    ),
    int("group.streams.min.assignment.interval.ms", "0")
        .at_least(0)
        .accepted()
        .doc("The smallest value that `streams.assignment.interval.ms` may have."),
    int("group.streams.max.assignment.interval.ms", "15000")
        .at_least(0)
        .accepted()
        .doc("The largest value that `streams.assignment.interval.ms` may have."),
    int("group.streams.heartbeat.interval.ms", "5000").at_least(1).accepted().doc(
        "How often members of streams groups send a heartbeat; the default of \
             `streams.heartbeat.interval.ms`.",
    ),
    int("group.streams.min.heartbeat.interval.ms", "5000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `streams.heartbeat.interval.ms` may have."),
    int("group.streams.max.heartbeat.interval.ms", "15000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `streams.heartbeat.interval.ms` may have."),
    int("group.streams.session.timeout.ms", "45000").at_least(1).accepted().doc(
        "How long a member of a streams group may be silent; the default of \
             `streams.session.timeout.ms`.",
    ),
    int("group.streams.min.session.timeout.ms", "45000")
        .at_least(1)
        .accepted()
        .doc("The smallest value that `streams.session.timeout.ms` may have."),
    int("group.streams.max.session.timeout.ms", "60000")
        .at_least(1)
        .accepted()
        .doc("The largest value that `streams.session.timeout.ms` may have."),
    int("group.streams.max.size", "2147483647")
        .at_least(1)
        .accepted()
        .doc("The most members that a streams group admits."),
    int("group.streams.initial.rebalance.delay.ms", "3000").at_least(0).accepted().doc(
        "How long a new streams group waits for more members; the default of \
             `streams.initial.rebalance.delay.ms`.",
    ),
    int("group.streams.num.standby.replicas", "0")
        .at_least(0)
        .accepted()
        .doc("Warm copies of each task's state; the default of `streams.num.standby.replicas`."),
    int("group.streams.max.standby.replicas", "2")
        .at_least(0)
        .accepted()
        .doc("The largest value that `streams.num.standby.replicas` may have."),
];
