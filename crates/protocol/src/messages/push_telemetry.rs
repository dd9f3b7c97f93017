//! Takes a client's metrics (KIP-714).

use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

/// The metrics.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 72, versions = "0", flexible = "0+")]
pub struct PushTelemetryRequest {
    /// The client's id for its telemetry (KIP-714).
    pub client_instance_id: Uuid,
    /// The id of the set of metrics that the client shall send.
    pub subscription_id: i32,
    /// Whether this is the client's last push.
    pub terminating: bool,
    /// The metrics' codec: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub compression_type: i8,
    /// The metrics: OpenTelemetry's `MetricsData` v1 in protobuf.
    pub metrics: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for PushTelemetryRequest {
    type Response = PushTelemetryResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> PushTelemetryResponse {
        PushTelemetryResponse { error_code: error, ..Default::default() }
    }
}

/// Whether they were taken.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 72, versions = "0", flexible = "0+")]
pub struct PushTelemetryResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
