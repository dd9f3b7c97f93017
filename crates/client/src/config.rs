//! What producers, consumers and admin have in common.

use std::time::Duration;

use crate::{ClientError, Result};

/// How to reach a cluster. The names are those of Kafka's client settings.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `host:port` of some brokers; the rest of the cluster is learnt from them.
    pub bootstrap_servers: Vec<String>,
    /// Shown in the brokers' logs and metrics.
    pub client_id: String,
    /// How long to wait for a connection, and then for its first answer (`socket.connection.setup.timeout.ms`).
    pub connect_timeout: Duration,
    /// How long to wait for one answer; then the connection counts as broken.
    pub request_timeout: Duration,
    /// How long a call may take with all its retries (`default.api.timeout.ms`).
    pub api_timeout: Duration,
    /// Pause before the first retry; doubles up to [`ClientConfig::retry_backoff_max`].
    pub retry_backoff: Duration,
    /// The longest pause between retries.
    pub retry_backoff_max: Duration,
    /// Metadata older than this is fetched anew.
    pub metadata_max_age: Duration,
    /// The largest answer that is read, bytes.
    pub max_response_len: usize,
    /// Whether asking for an unknown topic may create it, if the brokers allow that too.
    pub allow_auto_create_topics: bool,
}

impl ClientConfig {
    /// Kafka's defaults, for the brokers in `bootstrap_servers`: `host:port`, comma-separated.
    pub fn new(bootstrap_servers: &str) -> Self {
        Self {
            bootstrap_servers: bootstrap_servers
                .split(',')
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            client_id: "ottla".to_owned(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            api_timeout: Duration::from_secs(60),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
            max_response_len: 256 << 20,
            allow_auto_create_topics: true,
        }
    }

    /// Sets the client id.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let expected = "host:port, comma-separated, such as 127.0.0.1:9092";
        let value = || self.bootstrap_servers.join(",");
        let has_port =
            |s: &String| s.rsplit_once(':').is_some_and(|(h, p)| !h.is_empty() && p.parse::<u16>().is_ok());
        if self.bootstrap_servers.is_empty() || !self.bootstrap_servers.iter().all(has_port) {
            return Err(ClientError::Invalid { what: "bootstrap.servers", value: value(), expected });
        }
        Ok(())
    }
}
