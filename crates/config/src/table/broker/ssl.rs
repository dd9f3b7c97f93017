//! Certificates and what is demanded of peers.

use crate::def::{ConfigDef, ValueType, boolean, list, string, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    string("ssl.client.auth", "none")
        .one_of(&["required", "requested", "none"])
        .per_broker()
        .accepted()
        .doc("Whether clients must, may or need not show a certificate."),
    string("ssl.keystore.type", "JKS")
        .per_listener()
        .accepted()
        .doc("The format of the key store. Ottla reads PEM and PKCS12."),
    unset("ssl.keystore.location", ValueType::String)
        .per_listener()
        .accepted()
        .doc("The file that holds this node's key and certificate."),
    unset("ssl.keystore.password", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("The password of the key store."),
    unset("ssl.keystore.key", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("This node's private key, as PEM text."),
    unset("ssl.keystore.certificate.chain", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("This node's certificates, as PEM text."),
    unset("ssl.key.password", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("The password of the private key."),
    string("ssl.truststore.type", "JKS")
        .per_listener()
        .accepted()
        .doc("The format of the trust store. Ottla reads PEM and PKCS12."),
    unset("ssl.truststore.location", ValueType::String)
        .per_listener()
        .accepted()
        .doc("The file that holds trusted certificates."),
    unset("ssl.truststore.password", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("The password of the trust store."),
    unset("ssl.truststore.certificates", ValueType::Password)
        .per_listener()
        .accepted()
        .doc("Trusted certificates, as PEM text."),
    string("ssl.protocol", "TLSv1.3").per_broker().accepted().doc("The TLS version that is preferred."),
    list("ssl.enabled.protocols", "TLSv1.2,TLSv1.3")
        .per_broker()
        .accepted()
        .doc("The TLS versions that are accepted."),
    list("ssl.cipher.suites", "")
        .per_broker()
        .accepted()
        .doc("The cipher suites that are accepted; empty is all that are safe."),
    string("ssl.endpoint.identification.algorithm", "https")
        .low()
        .per_broker()
        .accepted()
        .doc("Whether a peer's certificate must match its host name (`https`) or not (empty)."),
    string("ssl.principal.mapping.rules", "DEFAULT")
        .low()
        .accepted()
        .doc("Rules that turn a certificate's distinguished name into a user name."),
    unset("ssl.provider", ValueType::String).per_broker().accepted().doc("The Java security provider."),
    unset("ssl.secure.random.implementation", ValueType::String)
        .low()
        .per_broker()
        .accepted()
        .doc("The Java source of random numbers."),
    string("ssl.keymanager.algorithm", "SunX509")
        .per_broker()
        .accepted()
        .doc("The Java algorithm that picks keys."),
    string("ssl.trustmanager.algorithm", "PKIX")
        .per_broker()
        .accepted()
        .doc("The Java algorithm that judges certificates."),
    unset("ssl.engine.factory.class", ValueType::Class)
        .low()
        .per_broker()
        .accepted()
        .doc("A Java class that makes TLS connections."),
    boolean("ssl.allow.dn.changes", "false")
        .low()
        .accepted()
        .doc("Whether a replaced certificate may carry another distinguished name."),
    boolean("ssl.allow.san.changes", "false")
        .low()
        .accepted()
        .doc("Whether a replaced certificate may drop alternative names."),
];
