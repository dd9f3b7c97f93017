//! The brokers that the cluster knows, those that are down among them (KIP-700, KIP-1073).

use ottla_protocol::messages::DescribeClusterRequest;
use ottla_protocol::messages::describe_cluster::DescribeClusterBroker;
use ottla_types::NodeId;

use super::Admin;
use crate::Result;
use crate::cluster::{BrokerInfo, Retry};
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
        let request = DescribeClusterRequest {
            endpoint_type: BROKERS,
            include_fenced_brokers: connection.version_of::<DescribeClusterRequest>()? >= WITH_FENCED,
            ..DescribeClusterRequest::default()
        };
        let response = connection.call(&request).await?;
        check(response.error_code, response.error_message.as_deref(), || WHAT.to_owned())?;
        let mut brokers: Vec<_> = response.brokers.into_iter().map(broker).collect();
        brokers.sort_by_key(|broker| broker.info.id);
        Ok(brokers)
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
