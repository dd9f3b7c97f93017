//! Every broker, topic, group and client metrics setting as one definition row.
//!
//! A row of [`table`] says all there is to say about a key: type, default, bounds, where it may change, which
//! keys supply its default, what Ottla does with it. Parsing, validation, the data of DescribeConfigs and the
//! reference page derive from the rows; nothing else in the workspace spells a default.
//!
//! Boundary: this crate reads no file and no environment by itself, knows no wire format, and holds no state
//! of a cluster. Its callers hand in texts and maps.

mod broker_config;
pub mod def;
mod effective;
mod listener;
pub mod properties;
mod reference;
mod settings;
pub mod table;
mod topic_config;
mod unit;
mod validate;
mod value;

pub use crate::broker_config::{
    BrokerConfig, CleanerConfig, Durability, GroupConfig, ListenerConfig, LogConfig, NodeConfig,
    OffsetsConfig, QuorumConfig, RecordValidation, ReplicaSelector, ReplicationConfig, SocketConfig,
    TopicDefaults,
};
pub use crate::def::{Bounds, ConfigDef, Importance, Scope, Status, ValueType};
pub use crate::effective::{ConfigEntry, ConfigLayers, ConfigSource, MIN_INSYNC_REPLICAS, Synonym};
pub use crate::listener::{Endpoint, Listener, SecurityProtocol, Voter};
pub use crate::reference::reference_page;
pub use crate::settings::{ConfigError, ConfigErrors, Notice, Setting, Settings, Source};
pub use crate::topic_config::{
    CleanupPolicy, CompressionType, ThrottledReplicas, TimestampType, TopicConfig,
};
pub use crate::validate::{
    ConfigMap, ConfigRejected, validate_broker, validate_client_metrics, validate_group, validate_topic,
};
pub use crate::value::{InvalidValue, Syntax, Value};
