//! The brokers that the cluster knows, those that are down among them (KIP-700, KIP-1073).

use ottla_protocol::messages::DescribeClusterRequest;
use ottla_protocol::messages::describe_cluster::DescribeClusterBroker;
use ottla_types::NodeId;

use super::Admin;
use crate::Result;
use crate::cluster::{BrokerInfo, Retry, Want};
use crate::error::check;

/// From this version on fenced brokers are named on request.
const WITH_FENCED: i16 = 2;
const BROKERS: i8 = 1;
const WHAT: &str = "listing the brokers";

/// A broker that the cluster knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredBroker {
    /// Which one, and where.
    pub info: BrokerInfo,
    /// Whether it is fenced: it leads and serves nothing until it is back.
    pub fenced: bool,
}

impl Admin {
    /// The registered brokers, by id. Clusters before Kafka 4.0 do not name those that are fenced.
    pub async fn registered_brokers(&self) -> Result<Vec<RegisteredBroker>> {
        let mut retry = Retry::new(&self.cluster, WHAT);
        loop {
            match self.ask_brokers().await {
                Ok(brokers) => return Ok(brokers),
                Err(e) => retry.after(e).await?,
            }
        }
    }

    async fn ask_brokers(&self) -> Result<Vec<RegisteredBroker>> {
        let connection = self.cluster.any().await?;
        let Ok(version) = connection.version_of::<DescribeClusterRequest>() else {
            return self.brokers_by_metadata().await;
        };
        let request = DescribeClusterRequest {
            endpoint_type: BROKERS,
            include_fenced_brokers: version >= WITH_FENCED,
            ..DescribeClusterRequest::default()
        };
        let response = connection.call(&request).await?;
        check(response.error_code, response.error_message.as_deref(), || WHAT.to_owned())?;
        let mut brokers: Vec<_> = response.brokers.into_iter().map(broker).collect();
        brokers.sort_by_key(|broker| broker.info.id);
        Ok(brokers)
    }

    /// Before Kafka 2.8.
    async fn brokers_by_metadata(&self) -> Result<Vec<RegisteredBroker>> {
        self.cluster.refresh(Want::Brokers, false).await?;
        let metadata = self.cluster.metadata();
        Ok(metadata.brokers.values().cloned().map(|info| RegisteredBroker { info, fenced: false }).collect())
    }
}

fn broker(wire: DescribeClusterBroker) -> RegisteredBroker {
    RegisteredBroker {
        info: BrokerInfo {
            id: NodeId(wire.broker_id),
            host: wire.host.to_string(),
            port: wire.port,
            rack: wire.rack.map(|rack| rack.to_string()),
        },
        fenced: wire.is_fenced,
    }
}
