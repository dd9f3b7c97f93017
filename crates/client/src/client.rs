//! The way in.

use std::sync::Arc;

use crate::cluster::Cluster;
use crate::{ClientConfig, Result};

/// A cluster. Clones share connections and metadata.
#[derive(Clone, Debug)]
pub struct Client {
    cluster: Arc<Cluster>,
}

impl Client {
    /// Connects to the cluster of `bootstrap_servers` (`host:port`, comma-separated) with Kafka's defaults.
    pub async fn connect(bootstrap_servers: &str) -> Result<Self> {
        Self::with(ClientConfig::new(bootstrap_servers)).await
    }

    /// Connects as `config` says. Fails at once if no bootstrap server answers.
    pub async fn with(config: ClientConfig) -> Result<Self> {
        Ok(Self { cluster: Arc::new(Cluster::connect(config).await?) })
    }

    pub(crate) const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Admin, ClientError, Consumer, ErrorKind, NewTopic, Producer, ProducerRecord};

    fn is_send<T: Send>(_: T) {}

    #[expect(dead_code, reason = "it only has to compile: callers spawn these futures")]
    fn futures_can_move_between_threads(admin: &Admin, producer: &Producer, consumer: &mut Consumer) {
        is_send(Client::connect("localhost:9092"));
        is_send(admin.create_topic(NewTopic::new("t")));
        is_send(admin.group_lag("g"));
        is_send(producer.send(ProducerRecord::new("t")));
        is_send(consumer.poll(Duration::ZERO));
    }

    #[tokio::test]
    async fn addresses_need_a_port() {
        for servers in ["", "localhost", "localhost:", ":9092", "localhost:99999", "a:1,b"] {
            let error = Client::connect(servers).await.unwrap_err();
            assert!(
                matches!(error, ClientError::Invalid { what: "bootstrap.servers", .. }),
                "{servers}: {error}"
            );
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
}
