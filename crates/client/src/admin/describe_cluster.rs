//! Describing the cluster.

use ottla_protocol::messages::api_versions::ApiVersionsRequest;
use ottla_types::NodeId;

use super::Admin;
use crate::Result;
use crate::cluster::{BrokerInfo, Retry, Want};

/// The cluster as its brokers tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterInfo {
    /// Its id.
    pub id: Option<String>,
    /// The broker to send changes to; KRaft clusters name any broker.
    pub controller: Option<NodeId>,
    /// The brokers that are up, by id.
    pub brokers: Vec<BrokerInfo>,
    /// Finalized features and their levels, such as `metadata.version`.
    pub features: Vec<(String, i16)>,
}

impl Admin {
    /// The cluster's id, brokers and features.
    pub async fn describe_cluster(&self) -> Result<ClusterInfo> {
        let mut retry = Retry::new(&self.cluster, "describing the cluster");
        while let Err(e) = self.cluster.refresh(Want::Brokers, false).await {
            retry.after(e).await?;
        }
        let request = ApiVersionsRequest {
            client_software_name: "ottla".into(),
            client_software_version: env!("CARGO_PKG_VERSION").into(),
            ..ApiVersionsRequest::default()
        };
        let versions = self.cluster.any().await?.call(&request).await?;
        let mut features: Vec<_> =
            versions.finalized_features.iter().map(|f| (f.name.to_string(), f.max_version_level)).collect();
        features.sort();
        let metadata = self.cluster.metadata();
        Ok(ClusterInfo {
            id: metadata.cluster_id.clone(),
            controller: metadata.controller,
            brokers: metadata.brokers.values().cloned().collect(),
            features,
        })
    }
}
