//! One request on its way through dispatch: before decoding ([`Incoming`]), and while it is handled ([`Exchange`]).

use std::sync::Arc;

use bytes::Bytes;
use ottla_network::{Call, Lease, Reply};
use ottla_protocol::frame::decode_request_body;
use ottla_protocol::{ErrorCode, Request};
use ottla_types::Detach;

use crate::dispatcher::Shared;
use crate::metrics::ApiStats;
use crate::{AclOperation, Answer, ConnectionState, IntoAnswer, RequestContext, ResourceType};

/// A request whose body is still bytes. Its API and version are served here.
pub struct Incoming<'a, H: 'static> {
    pub(crate) exchange: Exchange<H>,
    pub(crate) body: Bytes,
    /// Charged for what the body is decoded into.
    pub(crate) lease: &'a mut Lease,
}

impl<H: 'static> Incoming<'_, H> {
    /// The request; or the call that ends the connection because the bytes are none.
    pub fn decode<R: Request>(self) -> Result<(R, Exchange<H>), Call> {
        let Self { exchange, body, lease } = self;
        let bytes = body.len();
        match decode_request_body::<R>(body, exchange.context.version) {
            Ok((request, memory)) => {
                lease.charge(memory);
                Ok((request, exchange))
            }
            Err(error) => {
                let RequestContext { api_key, version, .. } = &exchange.context;
                let reason = format!("{api_key} version {version} of {bytes} bytes cannot be read: {error}");
                Err(Call::Ready(Reply::Close { reason }))
            }
        }
    }
}

/// A decoded request's way back: whoever holds it, answers.
pub struct Exchange<H: 'static> {
    pub(crate) shared: Arc<Shared<H>>,
    pub(crate) connection: Arc<ConnectionState>,
    pub(crate) context: RequestContext,
    pub(crate) correlation_id: i32,
    /// Index of the API's row.
    pub(crate) row: usize,
}

impl<H: 'static> Exchange<H> {
    /// Who handles it.
    pub fn host(&self) -> &Arc<H> {
        &self.shared.host
    }

    /// Its circumstances.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// The same, without a word of the frame that it came in.
    #[must_use]
    pub fn detached(mut self) -> Self {
        self.context.client_id = self.context.client_id.detach();
        self
    }

    /// Errors with the refusal if the principal may not.
    pub fn authorize<R: Request>(
        &self,
        request: &R,
        operation: AclOperation,
        resource: ResourceType,
        name: &str,
    ) -> Result<(), Call> {
        if self.context.allows(operation, resource, name) {
            return Ok(());
        }
        Err(Call::Ready(self.refuse(request, resource.denied())))
    }

    /// Answers with `error` in whatever shape the API has for it.
    pub fn refuse<R: Request>(&self, request: &R, error: ErrorCode) -> Reply {
        self.reply::<R>(request.error_response(self.context.version, error))
    }

    /// Answers.
    pub fn reply<R: Request>(&self, answer: impl IntoAnswer<R::Response>) -> Reply {
        self.reply_in::<R>(answer.into_answer(), self.context.version)
    }

    /// Answers in a version other than the request's: ApiVersions speaks version 0 to clients of the future.
    pub(crate) fn reply_in<R: Request>(&self, answer: Answer<R::Response>, version: i16) -> Reply {
        let reply = answer.encode(self.correlation_id, version).unwrap_or_else(|error| {
            let reason =
                format!("response to {} version {version} cannot be written: {error}", self.context.api_key);
            tracing::error!("{reason}");
            Reply::Close { reason }
        });
        self.stats().answered(&reply, self.context.received_at.elapsed());
        reply
    }

    fn stats(&self) -> &ApiStats {
        self.shared.stats(self.row)
    }
}
