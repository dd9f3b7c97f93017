//! The topic `__transaction_state` and its coordinator.

use crate::def::{ConfigDef, boolean, int, short};

/// The rows.
pub(super) const DEFS: &[ConfigDef] =
    &[
        int("transactional.id.expiration.ms", "604800000")
            .at_least(1)
            .high()
            .accepted()
            .doc("How long the coordinator remembers an idle transactional id."),
        int("transaction.max.timeout.ms", "900000")
            .at_least(1)
            .high()
            .accepted()
            .doc("The longest transaction timeout that a producer may ask for."),
        int("transaction.abort.timed.out.transaction.cleanup.interval.ms", "10000")
            .at_least(1)
            .low()
            .accepted()
            .doc("How often transactions past their timeout are looked for and aborted."),
        int("transaction.remove.expired.transaction.cleanup.interval.ms", "3600000")
            .at_least(1)
            .low()
            .accepted()
            .doc("How often transactional ids past their expiration are looked for and removed."),
        boolean("transaction.partition.verification.enable", "true")
            .low()
            .cluster_wide()
            .accepted()
            .doc("Whether a transactional write is checked against the coordinator's list of partitions."),
        boolean("transaction.two.phase.commit.enable", "false").low().accepted().doc(
            "Whether producers may leave a transaction open without timeout for an outside coordinator to \
             decide.",
        ),
        int("transaction.state.log.num.partitions", "50")
            .at_least(1)
            .high()
            .accepted()
            .doc("Partitions of `__transaction_state`; must not change once the topic exists."),
        short("transaction.state.log.replication.factor", "3").at_least(1).high().accepted().doc(
            "Replicas of `__transaction_state`. Unset: 3, or as many as there are brokers when these are \
             fewer.",
        ),
        int("transaction.state.log.min.isr", "2")
            .at_least(1)
            .high()
            .accepted()
            .doc("The min.insync.replicas of `__transaction_state`."),
        int("transaction.state.log.segment.bytes", "104857600")
            .at_least(1)
            .high()
            .accepted()
            .doc("Segment size of `__transaction_state`; small, so that it is compacted and loaded quickly."),
        int("transaction.state.log.load.buffer.size", "5242880")
            .at_least(1)
            .high()
            .accepted()
            .doc("How much is read at a time when a coordinator loads its partition."),
        int("add.partitions.to.txn.retry.backoff.ms", "20").at_least(1).high().accepted().doc(
            "First pause before a partition is again added to a transaction on behalf of an old client.",
        ),
        int("add.partitions.to.txn.retry.backoff.max.ms", "100")
            .at_least(0)
            .high()
            .accepted()
            .doc("Longest pause between such attempts."),
    ];
