//! Requests that a broker passes on to the active controller.

use std::future::Future;

use ottla_protocol::{ErrorCode, Request};

use crate::RequestContext;

/// A way to the active controller.
pub trait ControllerChannel: Send + Sync + 'static {
    /// Has the controller answer `request` on behalf of `cx.principal`. Errors with what the client is told when no
    /// controller answers in time: NOT_CONTROLLER or REQUEST_TIMED_OUT, both of which clients retry.
    fn forward<R: Request + Send + Sync>(
        &self,
        cx: &RequestContext,
        request: &R,
    ) -> impl Future<Output = Result<R::Response, ErrorCode>> + Send
    where
        R::Response: Send;
}

/// A host whose table has rows that end in `=> forward;`.
pub trait Forwards: Send + Sync + 'static {
    /// The channel.
    type Channel: ControllerChannel;

    /// The way to the active controller.
    fn controller(&self) -> &Self::Channel;
}

/// The handler of `=> forward;`.
pub async fn forward<H: Forwards, R: Request + Send + Sync>(
    host: &H,
    cx: &RequestContext,
    request: R,
) -> R::Response
where
    R::Response: Send,
{
    match host.controller().forward(cx, &request).await {
        Ok(response) => response,
        Err(error) => request.error_response(cx.version, error),
    }
}
