//! Who this node is and what it does.

use crate::def::{ConfigDef, ValueType, boolean, int, list, long, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] =
    &[
        int("node.id", "1").at_least(0).high().doc(
            "This node's number, unique in the cluster and constant for its life. Where no configuration \
             file is given it is 1.",
        ),
        list("process.roles", "broker,controller")
            .one_of(&["broker", "controller"])
            .high()
            .doc("What this process does: serve clients, take part in the metadata quorum, or both."),
        int("broker.id", "-1")
            .high()
            .doc("The former name of `node.id`, used where that one is not given; -1 is unset."),
        unset("broker.rack", ValueType::String).doc(
            "The rack, zone or room that this node stands in; replicas are spread over racks and \
             consumers may read from their own.",
        ),
        int("broker.heartbeat.interval.ms", "250").doc(
            "How often a broker tells the active controller that it lives. Kafka's default is 2000; \
             Ottla's is shorter for its faster failover.",
        ),
        int("broker.session.timeout.ms", "2000").doc(
            "How long the active controller waits for a heartbeat before it fences a broker. Kafka's \
             default is 9000; Ottla's is shorter for its faster failover.",
        ),
        int("initial.broker.registration.timeout.ms", "60000").doc(
            "How long a starting broker tries to register with the controllers before it gives up and \
             stops.",
        ),
        boolean("controlled.shutdown.enable", "true")
            .doc("Whether a stopping broker first hands its leaderships to others."),
        long("server.max.startup.time.ms", "9223372036854775807")
            .at_least(0)
            .accepted()
            .internal()
            .doc("The longest that a start may take; the process stops when it is exceeded."),
        int("background.threads", "10").at_least(1).high().cluster_wide().accepted().doc(
            "Size of the pool for file deletion and other chores; Ottla sizes its pools by the machine.",
        ),
        int("request.timeout.ms", "30000")
            .high()
            .doc("How long a request to another node may remain unanswered before it counts as failed."),
        boolean("unstable.api.versions.enable", "false")
            .high()
            .accepted()
            .internal()
            .doc("Whether protocol versions still under development are offered; for tests."),
        boolean("unstable.feature.versions.enable", "false")
            .high()
            .accepted()
            .internal()
            .doc("Whether feature levels still under development may be used; for tests."),
        list("config.providers", "").low().cluster_wide().accepted().doc(
            "Names of plug-ins that fill in `${provider:path:key}` references. Ottla has none; use the \
             environment.",
        ),
    ];
