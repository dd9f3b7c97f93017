//! What a handler knows about a request besides the request.

use std::fmt::{self, Debug};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ottla_protocol::{ApiKey, ByteString, Version};
use tokio::time::Instant;

use crate::{AclOperation, AllowAll, Authorizer, Principal, ResourceType};

/// The circumstances of one request.
#[derive(Clone)]
pub struct RequestContext {
    /// The API.
    pub api_key: ApiKey,
    /// The version that the request came in and the response leaves in.
    pub version: Version,
    /// What the client calls itself.
    pub client_id: Option<ByteString>,
    /// Who the client is.
    pub principal: Arc<Principal>,
    /// The listener that the connection came through, as in `listeners`.
    pub listener_name: Arc<str>,
    /// The client's address.
    pub peer_addr: SocketAddr,
    /// The connection, unique in this process.
    pub connection_id: u64,
    /// When the request started.
    pub received_at: Instant,
    pub(crate) authorizer: Arc<dyn Authorizer>,
}

impl RequestContext {
    /// The context of a request that this process makes of itself, in `version`.
    pub fn internal(api_key: ApiKey, version: Version, listener_name: &str) -> Self {
        Self {
            api_key,
            version,
            client_id: None,
            principal: Arc::new(Principal::ANONYMOUS),
            listener_name: listener_name.into(),
            peer_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            connection_id: 0,
            received_at: Instant::now(),
            authorizer: Arc::new(AllowAll),
        }
    }

    /// The client's address as group members show it: `/127.0.0.1`.
    pub fn client_host(&self) -> String {
        format!("/{}", self.peer_addr.ip().to_canonical())
    }

    /// Whether the principal may do `operation` to `name`.
    pub fn allows(&self, operation: AclOperation, resource: ResourceType, name: &str) -> bool {
        self.authorizer.authorize(self, operation, resource, name)
    }

    /// Splits what a request names into what the principal may touch and what not, each in its order.
    pub fn split_authorized<T>(
        &self,
        operation: AclOperation,
        resource: ResourceType,
        items: Vec<T>,
        name: impl Fn(&T) -> &str,
    ) -> (Vec<T>, Vec<T>) {
        items.into_iter().partition(|item| self.allows(operation, resource, name(item)))
    }

    /// What the principal may do to `name`, as the bit field that Metadata, DescribeGroups and DescribeCluster carry.
    pub fn authorized_operations(&self, resource: ResourceType, name: &str) -> i32 {
        let allowed =
            resource.operations().iter().filter(|operation| self.allows(**operation, resource, name));
        allowed.fold(0, |bits, operation| bits | 1 << *operation as u8)
    }
}

impl Debug for RequestContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestContext")
            .field("api", &self.api_key)
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("principal", &self.principal)
            .field("listener", &self.listener_name)
            .field("peer", &self.peer_addr)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_fields_are_kafkas_without_an_authorizer() {
        let cx = RequestContext::internal(ApiKey::METADATA, 9, "PLAINTEXT");
        let bits = |resource| cx.authorized_operations(resource, "x");
        assert_eq!(bits(ResourceType::Topic), 0b1101_1111_1000);
        assert_eq!(bits(ResourceType::Group), 0b1101_0100_1000);
        assert_eq!(bits(ResourceType::Cluster), 0b1_1111_1010_0000);
        assert_eq!(cx.client_host(), "/127.0.0.1");
    }
}
