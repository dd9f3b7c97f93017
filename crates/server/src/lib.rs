//! What broker and controller share: one table of APIs, and what is done once for all of them.
//!
//! ```text
//!  frame ─▶ header ─▶ row: listener, version ─▶ decode ─▶ authorize ─▶ handler ─▶ encode ─▶ count
//! ```
//!
//! A handler never sees bytes or correlation ids; the connection never sees a request. Bytes are admitted before a
//! request gets here (`ottla_network::RequestBudget`).
//!
//! What it does not do: it keeps no state of the cluster and knows no partition, group or topic.
//!
//! Entry points: [`apis!`] and [`Dispatcher`].

mod acl;
mod answer;
pub mod api_versions;
mod apis;
mod context;
mod describe_configs;
mod dispatcher;
mod distinct;
mod exchange;
mod forward;
mod metrics;
mod network_metrics;
mod reference;
mod socket_server;
mod table;

pub use crate::acl::{AclOperation, AllowAll, Authorizer, Principal, ResourceType};
pub use crate::answer::{Answer, IntoAnswer, Started};
pub use crate::api_versions::{FeatureRange, HasFeatures, NodeFeatures};
#[doc(hidden)]
pub use crate::apis::__private;
pub use crate::context::RequestContext;
pub use crate::describe_configs::{HasConfigs, describe_configs, resource_type};
pub use crate::dispatcher::{ClientSoftware, ConnectionState, Dispatcher};
pub use crate::distinct::distinct;
pub use crate::exchange::{Exchange, Incoming};
pub use crate::forward::{ControllerChannel, Forwards, forward};
pub use crate::network_metrics::NetworkCollector;
pub use crate::reference::{apis_page, check_table};
pub use crate::socket_server::SocketServer;
pub use crate::table::{Acl, ApiRow, Lane, ListenerKind, Versions};
