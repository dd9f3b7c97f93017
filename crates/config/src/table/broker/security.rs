//! Who may do what.

use crate::def::{ConfigDef, ValueType, class, long, string, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    string("authorizer.class.name", "").low().accepted().doc(
        "The authorizer. Ottla knows Kafka's StandardAuthorizer by its name and has its own in its \
             place.",
    ),
    class(
        "principal.builder.class",
        "org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
    )
    .per_broker()
    .accepted()
    .doc(
        "The Java class that names the user of a connection. Ottla follows the rules of Kafka's \
             default one.",
    ),
    unset("security.providers", ValueType::String)
        .low()
        .accepted()
        .doc("Java classes that add security algorithms."),
    unset("delegation.token.secret.key", ValueType::Password)
        .accepted()
        .doc("The secret that signs delegation tokens; without it there are none."),
    long("delegation.token.max.lifetime.ms", "604800000")
        .at_least(1)
        .accepted()
        .doc("The longest life of a delegation token, renewals included."),
    long("delegation.token.expiry.time.ms", "86400000")
        .at_least(1)
        .accepted()
        .doc("How long a delegation token is valid until it is renewed."),
    long("delegation.token.expiry.check.interval.ms", "3600000")
        .at_least(1)
        .low()
        .accepted()
        .doc("How often expired delegation tokens are removed."),
];
