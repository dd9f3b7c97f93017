//! Dynamic configs: what was set by AlterConfigs, per resource. Static values and defaults are not here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ottla_types::{ByteString, NodeId};
use rpds::RedBlackTreeMapSync;

/// The kinds of resource that can have dynamic configs, with Kafka's numbers (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ResourceKind {
    /// A topic.
    Topic = 2,
    /// A broker, or with an empty name the default of all brokers.
    Broker = 4,
    /// A subscription to client metrics (KIP-714).
    ClientMetrics = 16,
    /// A group (KIP-848).
    Group = 32,
}

impl ResourceKind {
    /// Kafka's number.
    pub const fn code(self) -> i8 {
        self as i8
    }

    /// The kind with Kafka's number `code`.
    pub const fn from_code(code: i8) -> Option<Self> {
        match code {
            2 => Some(Self::Topic),
            4 => Some(Self::Broker),
            16 => Some(Self::ClientMetrics),
            32 => Some(Self::Group),
            _ => None,
        }
    }
}

/// What a set of dynamic configs belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its name: a topic's or group's name, or a broker's id as text, empty for the default of all brokers.
    pub name: ByteString,
}

impl ConfigResource {
    /// The topic called `name`.
    pub fn topic(name: &str) -> Self {
        Self { kind: ResourceKind::Topic, name: name.into() }
    }

    /// The broker `id`.
    pub fn broker(id: NodeId) -> Self {
        Self { kind: ResourceKind::Broker, name: id.to_string().into() }
    }

    /// The default of all brokers.
    pub const fn default_broker() -> Self {
        Self { kind: ResourceKind::Broker, name: ByteString::from_static("") }
    }
}

impl fmt::Display for ConfigResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ResourceKind::Topic => "topic",
            ResourceKind::Broker => "broker",
            ResourceKind::ClientMetrics => "client metrics subscription",
            ResourceKind::Group => "group",
        };
        write!(f, "{kind} '{}'", self.name)
    }
}

/// The values set for one resource, by key.
pub type ConfigMap = BTreeMap<ByteString, ByteString>;

/// All dynamic configs, by resource. A resource without values is not in here.
#[derive(Clone, Debug, Default)]
pub struct Configs {
    by_resource: RedBlackTreeMapSync<ConfigResource, Arc<ConfigMap>>,
}

impl Configs {
    /// The values set for `resource`; `None` if none is.
    pub fn get(&self, resource: &ConfigResource) -> Option<&Arc<ConfigMap>> {
        self.by_resource.get(resource)
    }

    /// The value of `key` set for `resource` itself.
    pub fn value(&self, resource: &ConfigResource, key: &str) -> Option<&ByteString> {
        self.by_resource.get(resource)?.get(key)
    }

    /// The value of a broker's `key`: its own, else the one set for all brokers.
    pub fn broker_value(&self, broker: NodeId, key: &str) -> Option<&ByteString> {
        self.value(&ConfigResource::broker(broker), key)
            .or_else(|| self.value(&ConfigResource::default_broker(), key))
    }

    /// Those of single brokers, the default of all not among them.
    pub fn of_brokers(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<ConfigMap>)> {
        let from_default_on = self.by_resource.range(ConfigResource::default_broker()..);
        from_default_on
            .take_while(|(resource, _)| resource.kind == ResourceKind::Broker)
            .filter(|(resource, _)| !resource.name.is_empty())
    }

    /// All of them, ordered by resource.
    pub fn iter(&self) -> impl Iterator<Item = (&ConfigResource, &Arc<ConfigMap>)> {
        self.by_resource.iter()
    }

    pub(crate) fn set(&mut self, resource: ConfigResource, key: ByteString, value: ByteString) {
        if let Some(configs) = self.by_resource.get_mut(&resource) {
            Arc::make_mut(configs).insert(key, value);
        } else {
            self.by_resource.insert_mut(resource, Arc::new(ConfigMap::from([(key, value)])));
        }
    }

    pub(crate) fn unset(&mut self, resource: &ConfigResource, key: &str) {
        let Some(configs) = self.by_resource.get_mut(resource) else { return };
        let configs = Arc::make_mut(configs);
        configs.remove(key);
        if configs.is_empty() {
            self.by_resource.remove_mut(resource);
        }
    }

    pub(crate) fn remove(&mut self, resource: &ConfigResource) {
        self.by_resource.remove_mut(resource);
    }
}

impl PartialEq for Configs {
    fn eq(&self, other: &Self) -> bool {
        self.by_resource.size() == other.by_resource.size() && self.iter().eq(other.iter())
    }
}

impl Eq for Configs {}
