//! Group keys (`GroupConfig`), altered on a GROUP resource. `or` names the broker key that is the default, `within` those
//! that bound the value.

use crate::def::{ConfigDef, boolean, int, string};
use crate::table::checks;

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    int("consumer.assignment.interval.ms", "1000")
        .at_least(0)
        .or(&["group.consumer.assignment.interval.ms"])
        .within("group.consumer.min.assignment.interval.ms", "group.consumer.max.assignment.interval.ms")
        .accepted()
        .doc("The least time between two computations of a consumer group's assignment."),
    int("consumer.heartbeat.interval.ms", "5000")
        .at_least(1)
        .or(&["group.consumer.heartbeat.interval.ms"])
        .within("group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms")
        .accepted()
        .doc("How often members of a consumer group (KIP-848) are told to send a heartbeat."),
    int("consumer.session.timeout.ms", "45000")
        .at_least(1)
        .or(&["group.consumer.session.timeout.ms"])
        .within("group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms")
        .accepted()
        .doc("How long a member of a consumer group (KIP-848) may be silent before it is removed."),
    int("share.assignment.interval.ms", "1000")
        .at_least(0)
        .or(&["group.share.assignment.interval.ms"])
        .within("group.share.min.assignment.interval.ms", "group.share.max.assignment.interval.ms")
        .accepted()
        .doc("The least time between two computations of a share group's assignment."),
    string("share.auto.offset.reset", "latest")
        .check(checks::share_offset_reset, "[latest, earliest, by_duration:PnDTnHnMn.nS]")
        .accepted()
        .doc("Where a share group starts in a partition it has not read before."),
    int("share.delivery.count.limit", "5")
        .at_least(2)
        .or(&["group.share.delivery.count.limit"])
        .within("group.share.min.delivery.count.limit", "group.share.max.delivery.count.limit")
        .accepted()
        .doc("How many times a record is handed out before the share group gives it up."),
    int("share.heartbeat.interval.ms", "5000")
        .at_least(1)
        .or(&["group.share.heartbeat.interval.ms"])
        .within("group.share.min.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms")
        .accepted()
        .doc("How often members of a share group are told to send a heartbeat."),
    string("share.isolation.level", "read_uncommitted")
        .one_of(&["read_committed", "read_uncommitted"])
        .accepted()
        .doc("Whether a share group is handed records of transactions that have not committed."),
    int("share.partition.max.record.locks", "2000")
        .at_least(100)
        .or(&["group.share.partition.max.record.locks"])
        .within("group.share.min.partition.max.record.locks", "group.share.max.partition.max.record.locks")
        .accepted()
        .doc("The most records of one partition that a share group's members may hold at a time."),
    int("share.record.lock.duration.ms", "30000")
        .at_least(1000)
        .or(&["group.share.record.lock.duration.ms"])
        .within("group.share.min.record.lock.duration.ms", "group.share.max.record.lock.duration.ms")
        .accepted()
        .doc("How long a share group's member holds a record before it is handed to another."),
    boolean("share.renew.acknowledge.enable", "true")
        .accepted()
        .doc("Whether members of a share group may prolong their hold on a record."),
    int("share.session.timeout.ms", "45000")
        .at_least(1)
        .or(&["group.share.session.timeout.ms"])
        .within("group.share.min.session.timeout.ms", "group.share.max.session.timeout.ms")
        .accepted()
        .doc("How long a member of a share group may be silent before it is removed."),
    int("streams.assignment.interval.ms", "1000")
        .at_least(0)
        .or(&["group.streams.assignment.interval.ms"])
        .within("group.streams.min.assignment.interval.ms", "group.streams.max.assignment.interval.ms")
        .accepted()
        .doc("The least time between two computations of a streams group's assignment."),
    int("streams.heartbeat.interval.ms", "5000")
        .at_least(1)
        .or(&["group.streams.heartbeat.interval.ms"])
        .within("group.streams.min.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms")
        .accepted()
        .doc("How often members of a streams group are told to send a heartbeat."),
    int("streams.initial.rebalance.delay.ms", "3000")
        .at_least(0)
        .or(&["group.streams.initial.rebalance.delay.ms"])
        .accepted()
        .doc("How long a new streams group waits for more members before its first assignment."),
    int("streams.num.standby.replicas", "0")
        .at_least(0)
        .or(&["group.streams.num.standby.replicas"])
        .at_most_key("group.streams.max.standby.replicas")
        .accepted()
        .doc("How many warm copies of each task's state a streams group keeps."),
    int("streams.session.timeout.ms", "45000")
        .at_least(1)
        .or(&["group.streams.session.timeout.ms"])
        .within("group.streams.min.session.timeout.ms", "group.streams.max.session.timeout.ms")
        .accepted()
        .doc("How long a member of a streams group may be silent before it is removed."),
];
