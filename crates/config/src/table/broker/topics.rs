//! How topics come and go, and their defaults beyond the log.

use crate::def::{ConfigDef, ValueType, boolean, int, long, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    boolean("auto.create.topics.enable", "true").high().doc(
        "Whether a topic springs into being when a client asks for its metadata in order to write to \
             it.",
    ),
    boolean("delete.topic.enable", "true").high().doc("Whether topics can be deleted at all."),
    int("num.partitions", "1")
        .at_least(1)
        .doc("How many partitions a topic gets when its creator does not say."),
    int("default.replication.factor", "1").doc(
        "How many replicas a topic gets when its creator does not say. Unset: 3 where the cluster has \
             three brokers or more, else 1.",
    ),
    int("min.insync.replicas", "1").at_least(1).high().cluster_wide().doc(
        "How many replicas must have a record before a write with acks=all succeeds. Unset: 2 from the \
             registration of a third broker on, else 1. With eligible leader replicas, as by default, it \
             has one value in the cluster: what the controllers' files say counts when it is formed, \
             later alter it for all brokers (`kafka-configs --entity-default`).",
    ),
    boolean("unclean.leader.election.enable", "false").high().cluster_wide().doc(
        "Whether a replica that is not in sync may become leader as a last resort, which loses \
             records.",
    ),
    long("unclean.leader.election.interval.ms", "300000")
        .at_least(1)
        .accepted()
        .internal()
        .doc("How often partitions without a leader are checked for an unclean election."),
    boolean("auto.leader.rebalance.enable", "true")
        .high()
        .doc("Whether leadership drifts back to the preferred replicas by itself."),
    long("leader.imbalance.check.interval.seconds", "300")
        .at_least(1)
        .high()
        .doc("How often leadership is checked against the preferred replicas."),
    unset("create.topic.policy.class.name", ValueType::Class).low().accepted().doc(
        "A Java class that may veto new topics. Java code cannot run here: set it and only a warning \
             is given.",
    ),
    unset("alter.config.policy.class.name", ValueType::Class).low().accepted().doc(
        "A Java class that may veto changes of settings. Java code cannot run here: set it and only a \
             warning is given.",
    ),
    int("max.request.partition.size.limit", "2000").at_least(1).doc(
        "The most partitions that one DescribeTopicPartitions response lists; the client asks on with \
             a cursor.",
    ),
];
