//! The controllers and their log.

use crate::def::{ConfigDef, ValueType, boolean, int, list, long, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("controller.quorum.voters", "").high().doc("The voters of a fixed quorum, as `id@host:port,…`."),
    list("controller.quorum.bootstrap.servers", "")
        .high()
        .doc("Addresses at which the quorum is found, as `host:port,…`, where voters are not fixed."),
    boolean("controller.quorum.auto.join.enable", "false")
        .low()
        .doc("Whether a controller that is not a voter asks to become one."),
    int("controller.quorum.election.timeout.ms", "1000")
        .at_least(0)
        .high()
        .doc("How long a candidate waits for votes before it tries again."),
    int("controller.quorum.election.backoff.max.ms", "1000")
        .at_least(0)
        .high()
        .doc("The most random pause between two elections."),
    int("controller.quorum.fetch.timeout.ms", "2000")
        .at_least(0)
        .high()
        .doc("How long a voter goes without word from the leader before it stands for election itself."),
    int("controller.quorum.request.timeout.ms", "2000")
        .at_least(0)
        .doc("How long a request within the quorum may remain unanswered."),
    int("controller.quorum.retry.backoff.ms", "20")
        .at_least(0)
        .low()
        .doc("The pause before a failed request within the quorum is repeated."),
    int("controller.quorum.append.linger.ms", "25").at_least(0).accepted().doc(
        "How long Kafka's leader gathers writes before it syncs them; Ottla gathers while the last \
             sync runs.",
    ),
    int("controller.quorum.fetch.max.bytes", "1048576")
        .at_least(1)
        .low()
        .accepted()
        .doc("The most bytes of the metadata log in one answer."),
    int("controller.quorum.fetch.snapshot.max.bytes", "1048576")
        .at_least(1)
        .low()
        .accepted()
        .doc("The most bytes of a metadata snapshot in one answer."),
    int("controller.socket.timeout.ms", "30000")
        .accepted()
        .doc("Time limit of requests from the controller to brokers; of no use since brokers pull."),
    long("controller.performance.sample.period.ms", "60000")
        .at_least(100)
        .accepted()
        .internal()
        .doc("How often the controller sums up its own response times in the log."),
    long("controller.performance.always.log.threshold.ms", "2000")
        .at_least(0)
        .accepted()
        .internal()
        .doc("Work of the controller that takes longer than this is always logged."),
    unset("metadata.log.dir", ValueType::String)
        .high()
        .doc("The directory that holds the metadata log; the first of `log.dirs` where it is not given."),
    int("metadata.log.segment.bytes", "1073741824")
        .at_least(8_388_608)
        .high()
        .accepted()
        .doc("The size at which a segment of the metadata log rolls."),
    long("metadata.log.segment.ms", "604800000")
        .high()
        .accepted()
        .doc("The age at which a segment of the metadata log rolls."),
    long("metadata.log.max.record.bytes.between.snapshots", "20971520")
        .at_least(1)
        .high()
        .doc("How many bytes of new metadata lead to a snapshot."),
    long("metadata.log.max.snapshot.interval.ms", "3600000")
        .at_least(0)
        .high()
        .doc("The longest time between two snapshots while there is new metadata; 0 is no limit."),
    long("metadata.max.retention.bytes", "104857600")
        .high()
        .accepted()
        .doc("Bytes of metadata log and snapshots kept, once covered by a later snapshot."),
    long("metadata.max.retention.ms", "604800000")
        .high()
        .accepted()
        .doc("How long metadata log and snapshots are kept, once covered by a later snapshot."),
    int("metadata.max.idle.interval.ms", "500").at_least(0).low().accepted().doc(
        "How often the leader writes an empty record to keep the log moving; Ottla sends heartbeats \
             in its place.",
    ),
    long("internal.metadata.delete.delay.millis", "60000")
        .low()
        .accepted()
        .internal()
        .doc("How long a removed file of the metadata log stays on disk; for tests."),
    unset("internal.metadata.log.segment.bytes", ValueType::Int)
        .low()
        .accepted()
        .internal()
        .doc("Overrides the size of segments of the metadata log; for tests."),
    int("internal.metadata.max.batch.size.in.bytes", "8388608")
        .low()
        .accepted()
        .internal()
        .doc("The largest batch written to the metadata log; for tests."),
];
