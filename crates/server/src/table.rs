//! The row type of the `apis!` table.

use std::fmt;

use ottla_network::Call;
use ottla_protocol::{ApiKey, Version};

use crate::{AclOperation, Incoming, ResourceType};

/// One API as one kind of host serves it.
pub struct ApiRow<H: 'static> {
    /// The API.
    pub key: ApiKey,
    /// The versions that ApiVersions tells.
    pub advertised: Versions,
    /// The versions that are answered.
    pub served: Versions,
    /// What part of the process answers.
    pub lane: Lane,
    /// Where it may be called.
    pub listeners: &'static [ListenerKind],
    /// Who may call it.
    pub acl: Acl,
    /// Whether a request that waits holds nothing of the frame that it came in.
    pub detaches: bool,
    /// Decodes, authorizes and hands the request to its handler.
    pub call: fn(Incoming<'_, H>) -> Call,
}

impl<H> ApiRow<H> {
    /// Kafka's name of the API.
    pub fn name(&self) -> &'static str {
        self.key.name()
    }

    /// Whether it may be called on such a listener.
    pub fn is_on(&self, listener: ListenerKind) -> bool {
        self.listeners.contains(&listener)
    }
}

impl<H> fmt::Debug for ApiRow<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.advertised)
    }
}

/// A range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The lowest.
    pub min: Version,
    /// The highest.
    pub max: Version,
}

impl Versions {
    /// Whether `version` is one of them.
    pub fn contains(&self, version: Version) -> bool {
        (self.min..=self.max).contains(&version)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(f, "{}", self.min)
        } else {
            write!(f, "{}–{}", self.min, self.max)
        }
    }
}

/// What part of the process answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The connection itself: handshakes, versions.
    Connection,
    /// The metadata image of this node.
    Metadata,
    /// Partitions that this node leads or follows.
    Log,
    /// A shard of an internal topic.
    Coordinator,
    /// The active controller; a broker forwards to it.
    Controller,
}

/// What a listener is for. A process with both roles has listeners of both kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Clients and other brokers.
    Broker,
    /// Controllers, and brokers that talk to them: `controller.listener.names`.
    Controller,
}

/// What a request needs before its handler runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acl {
    /// Nothing.
    Open,
    /// One permission.
    Needs(AclOperation, ResourceType),
    /// The request names several resources, and the handler asks about each.
    PerResource,
}

impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("–"),
            Self::Needs(operation, resource) => write!(f, "{operation:?} {resource:?}"),
            Self::PerResource => f.write_str("per resource"),
        }
    }
}
