//! Where the node listens and how many may come.

use crate::def::{ConfigDef, ValueType, int, list, long, string, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("listeners", "PLAINTEXT://127.0.0.1:9092").high().per_broker().doc(
        "The addresses to listen on, as `NAME://host:port`. Kafka listens on all interfaces where \
             none is given; Ottla on loopback only.",
    ),
    unset("advertised.listeners", ValueType::List)
        .high()
        .doc("The addresses that clients are told to connect to, where they differ from `listeners`."),
    string(
        "listener.security.protocol.map",
        "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
    )
    .low()
    .per_broker()
    .doc(
        "Which security protocol each listener name stands for. A name that is itself a protocol \
             needs no entry.",
    ),
    unset("inter.broker.listener.name", ValueType::String)
        .doc("The listener over which brokers talk to each other."),
    string("security.inter.broker.protocol", "PLAINTEXT")
        .one_of(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
        .doc("The security protocol among brokers, where `inter.broker.listener.name` is not given."),
    unset("early.start.listeners", ValueType::List).high().accepted().doc(
        "Listeners that accept requests before authorization data is complete; needed only with a \
             Java authorizer.",
    ),
    list("controller.listener.names", "CONTROLLER").high().doc(
        "The listeners that controllers use; the first is the one on which brokers look for them. \
             Kafka has no default here.",
    ),
    int("socket.send.buffer.bytes", "-1").high().doc(
        "The kernel's send buffer of a connection; -1 leaves it to the system. Kafka's default is 102400, which also \
             keeps the system from growing it: a reader of megabytes is then served in many small steps.",
    ),
    int("socket.receive.buffer.bytes", "-1").high().doc(
        "The kernel's receive buffer of a connection; -1 leaves it to the system. Kafka's default is 102400, which also \
             keeps the system from growing it.",
    ),
    int("socket.request.max.bytes", "104857600")
        .at_least(1)
        .high()
        .doc("The largest request that is read; a larger one closes the connection."),
    int("socket.listen.backlog.size", "50").at_least(1).doc("How many connections may wait to be accepted."),
    long("socket.connection.setup.timeout.ms", "10000")
        .doc("How long the first attempt to connect to another node may take."),
    long("socket.connection.setup.timeout.max.ms", "30000")
        .doc("The bound up to which the time to connect grows after failures."),
    long("connections.max.idle.ms", "600000").doc("A connection without traffic for this long is closed."),
    int("connection.failed.authentication.delay.ms", "100")
        .at_least(0)
        .low()
        .doc("How long the answer to a failed authentication is withheld."),
    long("connections.max.reauth.ms", "0").doc(
        "The longest life of a SASL session before the client has to authenticate again; 0 is no \
             limit.",
    ),
    int("max.connections", "2147483647").at_least(0).cluster_wide().doc(
        "The most connections of the whole broker; over a listener's own limit see \
             `listener.name.<name>.max.connections`.",
    ),
    int("max.connections.per.ip", "2147483647")
        .at_least(0)
        .cluster_wide()
        .doc("The most connections from one address."),
    string("max.connections.per.ip.overrides", "")
        .cluster_wide()
        .doc("Other limits for single addresses or host names, as `host:count,…`."),
    int("max.connection.creation.rate", "2147483647")
        .at_least(0)
        .cluster_wide()
        .doc("The most connections accepted per second."),
    int("queued.max.requests", "500")
        .at_least(1)
        .high()
        .doc("The most requests that wait before reading from the network stops."),
    long("queued.max.request.bytes", "-1").doc(
        "The most bytes of requests held in memory before reading from the network stops; -1 leaves \
             the choice to Ottla's own budget.",
    ),
    int("num.network.threads", "3")
        .at_least(1)
        .high()
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for network traffic; Ottla's runtime has one thread per core."),
    int("num.io.threads", "8")
        .at_least(1)
        .high()
        .cluster_wide()
        .accepted()
        .doc("Size of Kafka's pool for request handling; Ottla's runtime has one thread per core."),
];
