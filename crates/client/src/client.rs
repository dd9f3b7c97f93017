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
