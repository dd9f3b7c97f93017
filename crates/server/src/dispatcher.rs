//! From frames to handlers: everything that is done once for all APIs.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use ottla_network::{Call, ConnectionContext, Lease, Reply, SHARED_FRAME, Service};
use ottla_protocol::frame::{decode_request_header, peek_request};
use ottla_protocol::messages::RequestHeader;
use ottla_protocol::{ApiKey, ByteString};
use ottla_telemetry::{Collect, Encoder};
use tokio::time::Instant;

use crate::metrics::ApiStats;
use crate::{
    AllowAll, ApiRow, Authorizer, Exchange, Incoming, ListenerKind, Principal, RequestContext, api_versions,
};

/// Serves one table of APIs on the listeners of one process. Each listener gets a [`Dispatcher`] of it.
pub(crate) struct Shared<H: 'static> {
    pub(crate) host: Arc<H>,
    pub(crate) table: &'static [ApiRow<H>],
    /// By API key: the index of its row.
    index: Vec<Option<u16>>,
    stats: Vec<ApiStats>,
    authorizer: Arc<dyn Authorizer>,
}

impl<H> Shared<H> {
    /// The row of an API and its index.
    pub(crate) fn row(&self, key: ApiKey) -> Option<(usize, &'static ApiRow<H>)> {
        let index = usize::try_from(key.code()).ok().and_then(|key| *self.index.get(key)?)?;
        let index = usize::from(index);
        self.table.get(index).map(|row| (index, row))
    }

    /// The counts of the API in that row.
    pub(crate) fn stats(&self, row: usize) -> &ApiStats {
        &self.stats[row]
    }
}

/// Serves a table of APIs on listeners of one kind.
pub struct Dispatcher<H: 'static> {
    shared: Arc<Shared<H>>,
    listener: ListenerKind,
}

/// What is known of a connection beyond its addresses.
#[derive(Debug)]
pub struct ConnectionState {
    pub(crate) context: Arc<ConnectionContext>,
    pub(crate) listener: ListenerKind,
    principal: Arc<Principal>,
    software: OnceLock<ClientSoftware>,
}

/// What the client says it is (KIP-511).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSoftware {
    /// Such as `apache-kafka-java`.
    pub name: ByteString,
    /// Such as `4.3.1`.
    pub version: ByteString,
}

impl ConnectionState {
    /// What the client said it is, if it did.
    pub fn software(&self) -> Option<&ClientSoftware> {
        self.software.get()
    }

    pub(crate) fn set_software(&self, software: ClientSoftware) {
        // A second ApiVersions of one connection says the same.
        let _ = self.software.set(software);
    }
}

impl<H: Send + Sync + 'static> Dispatcher<H> {
    /// Has `host` answer what `table` lists, on listeners of the kind `listener`. Everybody may do everything.
    pub fn new(host: Arc<H>, table: &'static [ApiRow<H>], listener: ListenerKind) -> Self {
        Self::with_authorizer(host, table, listener, Arc::new(AllowAll))
    }

    /// The same, with a decision on who may do what.
    pub fn with_authorizer(
        host: Arc<H>,
        table: &'static [ApiRow<H>],
        listener: ListenerKind,
        authorizer: Arc<dyn Authorizer>,
    ) -> Self {
        let highest = table.iter().map(|row| usize::try_from(row.key.code()).unwrap_or(0)).max();
        let mut index = vec![None; highest.map_or(0, |key| key + 1)];
        for (row, api) in table.iter().enumerate() {
            if let Some(slot) = usize::try_from(api.key.code()).ok().and_then(|key| index.get_mut(key)) {
                *slot = u16::try_from(row).ok();
            }
        }
        let stats = table.iter().map(|_| ApiStats::default()).collect();
        Self { shared: Arc::new(Shared { host, table, index, stats, authorizer }), listener }
    }

    /// The same table, host and counts on a listener of another kind.
    pub fn on(&self, listener: ListenerKind) -> Self {
        Self { shared: Arc::clone(&self.shared), listener }
    }

    /// Who answers.
    pub fn host(&self) -> &Arc<H> {
        &self.shared.host
    }

    fn dispatch(
        &self,
        connection: &Arc<ConnectionState>,
        mut frame: Bytes,
        lease: &mut Lease,
    ) -> Result<Call, String> {
        let size = frame.len();
        let unreadable = |error| format!("request header of a frame of {size} bytes cannot be read: {error}");
        let (key, version) = peek_request(&frame).map_err(unreadable)?;
        let Some((index, row)) = self.shared.row(key).filter(|(_, row)| row.is_on(self.listener)) else {
            return Err(format!("{key} (API key {}) is not served on this listener", key.code()));
        };
        if !row.detaches && size <= SHARED_FRAME {
            // It may wait for long, and would keep what else its connection read at that time.
            frame = Bytes::copy_from_slice(&frame);
        }
        let header = decode_request_header(&mut frame).map_err(unreadable)?;
        self.shared.stats(index).received(size);
        let incoming = Incoming { exchange: self.exchange(connection, header, index), body: frame, lease };
        if row.served.contains(version) {
            return Ok((row.call)(incoming));
        }
        if key == ApiKey::API_VERSIONS {
            return Ok(Call::Ready(api_versions::unsupported(&incoming.exchange)));
        }
        Err(format!("{key} version {version} is not served; served are {}", row.served))
    }

    fn exchange(&self, connection: &Arc<ConnectionState>, header: RequestHeader, row: usize) -> Exchange<H> {
        let context = RequestContext {
            api_key: header.api_key(),
            version: header.request_api_version,
            client_id: header.client_id,
            principal: Arc::clone(&connection.principal),
            listener_name: Arc::clone(&connection.context.listener),
            peer_addr: connection.context.peer,
            connection_id: connection.context.id,
            received_at: Instant::now(),
            authorizer: Arc::clone(&self.shared.authorizer),
        };
        Exchange {
            shared: Arc::clone(&self.shared),
            connection: Arc::clone(connection),
            context,
            correlation_id: header.correlation_id,
            row,
        }
    }
}

impl<H: Send + Sync + 'static> Service for Dispatcher<H> {
    type Session = Arc<ConnectionState>;

    fn open(&self, connection: &Arc<ConnectionContext>) -> Self::Session {
        Arc::new(ConnectionState {
            context: Arc::clone(connection),
            listener: self.listener,
            principal: Arc::new(Principal::ANONYMOUS),
            software: OnceLock::new(),
        })
    }

    fn call(&self, session: &mut Self::Session, frame: Bytes, lease: &mut Lease) -> Call {
        self.dispatch(session, frame, lease).unwrap_or_else(|reason| Call::Ready(Reply::Close { reason }))
    }
}

impl<H: Send + Sync + 'static> Collect for Dispatcher<H> {
    fn collect(&self, encoder: &mut Encoder) {
        for (row, stats) in self.shared.table.iter().zip(&self.shared.stats) {
            stats.collect(row.name(), encoder);
        }
    }
}
