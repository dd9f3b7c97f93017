//! Tells a client which of its metrics to send (KIP-714).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// Which client asks.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 71, versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsRequest {
    /// The client's id for its telemetry (KIP-714); zero if it has none yet.
    pub client_instance_id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for GetTelemetrySubscriptionsRequest {
    type Response = GetTelemetrySubscriptionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> GetTelemetrySubscriptionsResponse {
        GetTelemetrySubscriptionsResponse { error_code: error, ..Default::default() }
    }
}

/// What to send, how often and how.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 71, versions = "0", flexible = "0+")]
pub struct GetTelemetrySubscriptionsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The client's new id if it had none; zero otherwise.
    pub client_instance_id: Uuid,
    /// The id of the set of metrics that the client shall send.
    pub subscription_id: i32,
    /// The codecs that the broker accepts, the best first: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub accepted_compression_types: Vec<i8>,
    /// How long the client waits between two pushes, ms.
    pub push_interval_ms: i32,
    /// The longest push that the broker accepts, bytes.
    pub telemetry_max_bytes: i32,
    /// Whether counters are sent as what was added since the last push, and not as totals.
    pub delta_temporality: bool,
    /// The prefixes of the metrics to send: none at all if empty, every metric if one of them is empty.
    pub requested_metrics: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
