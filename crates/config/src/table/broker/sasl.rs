//! Authentication by user name or token.

use crate::def::{ConfigDef, ValueType, boolean, class, double, int, list, long, short, string, unset};

/// The rows.
pub(super) const DEFS: &[ConfigDef] = &[
    list("sasl.enabled.mechanisms", "GSSAPI")
        .per_broker()
        .accepted()
        .doc("The mechanisms that clients may authenticate with."),
    string("sasl.mechanism.inter.broker.protocol", "GSSAPI")
        .per_broker()
        .accepted()
        .doc("The mechanism among brokers."),
    string("sasl.mechanism.controller.protocol", "GSSAPI")
        .high()
        .accepted()
        .doc("The mechanism towards controllers."),
    unset("sasl.jaas.config", ValueType::Password)
        .per_broker()
        .accepted()
        .doc("Login module and credentials in the JAAS format."),
    unset("sasl.client.callback.handler.class", ValueType::Class)
        .accepted()
        .doc("A Java class that supplies credentials when this node is the client."),
    unset("sasl.server.callback.handler.class", ValueType::Class)
        .accepted()
        .doc("A Java class that checks credentials when this node is the server."),
    unset("sasl.login.class", ValueType::Class).accepted().doc("A Java class that logs in."),
    unset("sasl.login.callback.handler.class", ValueType::Class)
        .accepted()
        .doc("A Java class that supplies credentials for the login."),
    unset("sasl.login.connect.timeout.ms", ValueType::Int)
        .low()
        .accepted()
        .doc("Time limit for connecting to an identity provider."),
    unset("sasl.login.read.timeout.ms", ValueType::Int)
        .low()
        .accepted()
        .doc("Time limit for an identity provider's answer."),
    long("sasl.login.retry.backoff.ms", "100")
        .low()
        .accepted()
        .doc("First pause after a failed login at an identity provider."),
    long("sasl.login.retry.backoff.max.ms", "10000")
        .low()
        .accepted()
        .doc("Longest pause after failed logins at an identity provider."),
    double("sasl.login.refresh.window.factor", "0.8")
        .per_broker()
        .accepted()
        .doc("The share of a token's life after which it is renewed."),
    double("sasl.login.refresh.window.jitter", "0.05")
        .per_broker()
        .accepted()
        .doc("Random share added to that time."),
    short("sasl.login.refresh.min.period.seconds", "60")
        .per_broker()
        .accepted()
        .doc("The least time between two renewals of a token."),
    short("sasl.login.refresh.buffer.seconds", "300")
        .per_broker()
        .accepted()
        .doc("How long before its end a token is renewed at the latest."),
    int("sasl.server.max.receive.size", "524288")
        .accepted()
        .doc("The largest message accepted before authentication is complete."),
    string("sasl.kerberos.kinit.cmd", "/usr/bin/kinit")
        .per_broker()
        .accepted()
        .doc("The path of the `kinit` program."),
    long("sasl.kerberos.min.time.before.relogin", "60000")
        .per_broker()
        .accepted()
        .doc("The least time between two Kerberos logins, in milliseconds."),
    list("sasl.kerberos.principal.to.local.rules", "DEFAULT")
        .per_broker()
        .accepted()
        .doc("Rules that turn Kerberos principals into user names."),
    unset("sasl.kerberos.service.name", ValueType::String)
        .per_broker()
        .accepted()
        .doc("The Kerberos service name of the brokers."),
    double("sasl.kerberos.ticket.renew.jitter", "0.05")
        .per_broker()
        .accepted()
        .doc("Random share added to the time of renewal of a ticket."),
    double("sasl.kerberos.ticket.renew.window.factor", "0.8")
        .per_broker()
        .accepted()
        .doc("The share of a ticket's life after which it is renewed."),
    unset("sasl.oauthbearer.token.endpoint.url", ValueType::String)
        .accepted()
        .doc("Where tokens are issued."),
    unset("sasl.oauthbearer.jwks.endpoint.url", ValueType::String)
        .accepted()
        .doc("Where the identity provider publishes its keys."),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms", "3600000")
        .low()
        .accepted()
        .doc("How often the published keys are fetched again."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", "100")
        .low()
        .accepted()
        .doc("First pause after the keys could not be fetched."),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", "10000")
        .low()
        .accepted()
        .doc("Longest pause after the keys could not be fetched."),
    int("sasl.oauthbearer.clock.skew.seconds", "30")
        .low()
        .accepted()
        .doc("How far the identity provider's clock may differ."),
    list("sasl.oauthbearer.expected.audience", "")
        .high()
        .accepted()
        .doc("The audiences of which a token must name one."),
    unset("sasl.oauthbearer.expected.issuer", ValueType::String)
        .high()
        .accepted()
        .doc("The issuer that a token must name."),
    unset("sasl.oauthbearer.scope", ValueType::String)
        .accepted()
        .doc("The scope asked for when a token is fetched."),
    string("sasl.oauthbearer.scope.claim.name", "scope")
        .low()
        .accepted()
        .doc("The claim that holds a token's scope."),
    string("sasl.oauthbearer.sub.claim.name", "sub")
        .low()
        .accepted()
        .doc("The claim that holds a token's user."),
    class(
        "sasl.oauthbearer.jwt.retriever.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever",
    )
    .accepted()
    .doc("The Java class that fetches tokens."),
    class(
        "sasl.oauthbearer.jwt.validator.class",
        "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
    )
    .accepted()
    .doc("The Java class that checks tokens."),
    unset("sasl.oauthbearer.client.credentials.client.id", ValueType::String)
        .accepted()
        .doc("The client id for the client-credentials grant."),
    unset("sasl.oauthbearer.client.credentials.client.secret", ValueType::Password)
        .accepted()
        .doc("The secret for the client-credentials grant."),
    string("sasl.oauthbearer.assertion.algorithm", "RS256")
        .one_of_any_case(&["ES256", "RS256"])
        .accepted()
        .doc("The signature algorithm of an assertion for the JWT-bearer grant."),
    unset("sasl.oauthbearer.assertion.claim.aud", ValueType::String)
        .accepted()
        .doc("The audience stated in an assertion."),
    int("sasl.oauthbearer.assertion.claim.exp.seconds", "300")
        .between(0, 86_400)
        .low()
        .accepted()
        .doc("How long an assertion is valid."),
    unset("sasl.oauthbearer.assertion.claim.iss", ValueType::String)
        .accepted()
        .doc("The issuer stated in an assertion."),
    boolean("sasl.oauthbearer.assertion.claim.jti.include", "false")
        .accepted()
        .doc("Whether an assertion gets a unique id."),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds", "60")
        .between(0, 3600)
        .low()
        .accepted()
        .doc("How far an assertion's validity reaches into the past."),
    unset("sasl.oauthbearer.assertion.claim.sub", ValueType::String)
        .accepted()
        .doc("The subject stated in an assertion."),
    unset("sasl.oauthbearer.assertion.file", ValueType::String)
        .accepted()
        .doc("A file with a finished assertion."),
    unset("sasl.oauthbearer.assertion.private.key.file", ValueType::String)
        .accepted()
        .doc("The private key that signs assertions."),
    unset("sasl.oauthbearer.assertion.private.key.passphrase", ValueType::Password)
        .accepted()
        .doc("The passphrase of that private key."),
    unset("sasl.oauthbearer.assertion.template.file", ValueType::String)
        .accepted()
        .doc("A file with further headers and claims of assertions."),
];
