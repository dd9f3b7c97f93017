//! The `apis!` macro.

/// The one table of what a host serves. A row is an API; from it come dispatch, ApiVersions, the labels of metrics and
/// the reference page.
///
/// ```text
/// ottla_server::apis! { Broker;
///     ProduceRequest, advertise 0, lane Log, listeners [broker], acl per_resource => start api::produce;
///     HeartbeatRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => api::heartbeat::handle;
///     CreateTopicsRequest, lane Controller, listeners [broker], acl per_resource => forward;
///     ApiVersionsRequest, lane Connection, listeners [broker], acl none => api_versions;
/// }
/// ```
///
/// - The versions are those of the request type. `versions 0-4` narrows them; `advertise 0` tells clients of lower ones that
///   are nevertheless refused.
/// - `acl Operation Resource(field)` asks about the resource named by that field of the request, `acl Operation Cluster`
///   about the cluster; `acl per_resource` leaves it to the handler; `acl none` lets everybody.
/// - Handlers are `async fn handle(host: &Host, cx: &RequestContext, request: R) -> impl IntoAnswer<R::Response>`. The part
///   before their first wait runs in the order of arrival. After `pipeline` the connection's next request may start before
///   this one has answered. `forward` has the controller answer.
/// - `start` pipelines too, and spares the future of a request that need not wait. It names a module of two functions:
///   `start(host, cx, request)`, which runs in the order of arrival and gives a [`Started`](crate::Started): the answer, or
///   what is still to be waited for, without a word of the request's frame, which may be much larger than what is counted of
///   it; and `async fn finish(host, cx, waiting)`, which waits and gives the answer.
///
/// The table is a `pub static API_TABLE: &[ApiRow<Host>]` in the module that invokes the macro.
#[macro_export]
macro_rules! apis {
    ($host:ty; $($request:ident $(, versions $min:literal - $max:literal)? $(, advertise $from:literal)?,
        lane $lane:ident, listeners [$($listener:ident),+], acl $($acl:ident)+ $(($field:ident))? => $($how:ident)::+ $($then:ident)::*;)+) => {
        /// Every API that is served.
        pub static API_TABLE: &[$crate::ApiRow<$host>] = &[$($crate::ApiRow {
            key: <$request as $crate::__private::ApiMessage>::KEY,
            advertised: $crate::__private::advertised::<$request>(
                $crate::__apis_opt!($(($min, $max))?), $crate::__apis_opt!($($from)?)),
            served: $crate::__private::served::<$request>($crate::__apis_opt!($(($min, $max))?)),
            lane: $crate::Lane::$lane,
            listeners: &[$($crate::__apis_listener!($listener)),+],
            acl: $crate::__apis_acl!(column $($acl)+),
            detaches: $crate::__apis_detaches!($($how)::+),
            call: |incoming: $crate::Incoming<'_, $host>| -> $crate::__private::Call {
                let (request, exchange) = match incoming.decode::<$request>() {
                    Ok(decoded) => decoded,
                    Err(call) => return call,
                };
                $crate::__apis_acl!(check exchange request $($acl)+ $(($field))?);
                $crate::__apis_call!($request exchange request $($how)::+ $($then)::*)
            },
        }),+];
    };
}

/// `Some` of what is there.
#[doc(hidden)]
#[macro_export]
macro_rules! __apis_opt {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// The kind of listener.
#[doc(hidden)]
#[macro_export]
macro_rules! __apis_listener {
    (broker) => {
        $crate::ListenerKind::Broker
    };
    (controller) => {
        $crate::ListenerKind::Controller
    };
}

/// The ACL column, and the check that it stands for.
#[doc(hidden)]
#[macro_export]
macro_rules! __apis_acl {
    (column none) => {
        $crate::Acl::Open
    };
    (column per_resource) => {
        $crate::Acl::PerResource
    };
    (column $operation:ident $resource:ident) => {
        $crate::Acl::Needs($crate::AclOperation::$operation, $crate::ResourceType::$resource)
    };
    (check $exchange:ident $request:ident none) => {};
    (check $exchange:ident $request:ident per_resource) => {};
    (check $exchange:ident $request:ident $operation:ident Cluster) => {
        $crate::__apis_acl!(ask $exchange $request $operation Cluster $crate::ResourceType::CLUSTER_NAME)
    };
    (check $exchange:ident $request:ident $operation:ident $resource:ident ($field:ident)) => {
        $crate::__apis_acl!(ask $exchange $request $operation $resource &$request.$field)
    };
    (ask $exchange:ident $request:ident $operation:ident $resource:ident $name:expr) => {
        let operation = $crate::AclOperation::$operation;
        let resource = $crate::ResourceType::$resource;
        if let Err(refused) = $exchange.authorize(&$request, operation, resource, $name) {
            return refused;
        }
    };
}

/// Whether what waits holds nothing of the request's frame.
#[doc(hidden)]
#[macro_export]
macro_rules! __apis_detaches {
    (start) => {
        true
    };
    ($($other:ident)::+) => {
        false
    };
}

/// How a request reaches its handler.
#[doc(hidden)]
#[macro_export]
macro_rules! __apis_call {
    ($type:ident $exchange:ident $request:ident api_versions) => {
        $crate::__private::Call::Ready($crate::api_versions::handle(&$exchange, $request))
    };
    ($type:ident $exchange:ident $request:ident forward) => {
        $crate::__private::Call::wait(async move {
            let response = $crate::forward(&**$exchange.host(), $exchange.context(), $request).await;
            $exchange.reply::<$type>(response)
        })
    };
    ($type:ident $exchange:ident $request:ident pipeline $($handler:ident)::+) => {
        $crate::__private::Call::pipeline(async move {
            let answer = $($handler)::+($exchange.host(), $exchange.context(), $request).await;
            $exchange.reply::<$type>(answer)
        })
    };
    ($type:ident $exchange:ident $request:ident start $($handler:ident)::+) => {
        match $($handler::)+start($exchange.host(), $exchange.context(), $request) {
            $crate::Started::Answered(answer) => {
                $crate::__private::Call::Ready($exchange.reply::<$type>(answer))
            }
            $crate::Started::Waits(waiting) => {
                let exchange = $exchange.detached();
                $crate::__private::Call::pipeline(async move {
                    let answer = $($handler::)+finish(exchange.host(), exchange.context(), waiting).await;
                    exchange.reply::<$type>(answer)
                })
            }
        }
    };
    ($type:ident $exchange:ident $request:ident $($handler:ident)::+) => {
        $crate::__private::Call::wait(async move {
            let answer = $($handler)::+($exchange.host(), $exchange.context(), $request).await;
            $exchange.reply::<$type>(answer)
        })
    };
}

/// What the macro's expansion names.
#[doc(hidden)]
pub mod __private {
    pub use ottla_network::Call;
    pub use ottla_protocol::ApiMessage;

    use crate::Versions;

    /// The versions that are answered: all of the type's, or the row's.
    pub const fn served<R: ApiMessage>(narrowed: Option<(i16, i16)>) -> Versions {
        let (first, last) = (*R::VERSIONS.start(), *R::VERSIONS.end());
        let Some((min, max)) = narrowed else { return Versions { min: first, max: last } };
        assert!(
            min >= first && max <= last && min <= max,
            "a row may only narrow the versions of its request"
        );
        Versions { min, max }
    }

    /// The versions that clients are told of.
    pub const fn advertised<R: ApiMessage>(narrowed: Option<(i16, i16)>, from: Option<i16>) -> Versions {
        let served = served::<R>(narrowed);
        let Some(min) = from else { return served };
        assert!(min <= served.min, "a row advertises what it serves, and possibly lower versions");
        Versions { min, max: served.max }
    }
}
