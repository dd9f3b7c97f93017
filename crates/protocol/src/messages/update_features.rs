//! Finalizes feature levels (KIP-584).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The levels to be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 57, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest {
    /// How long the node may take before it answers, ms.
    #[field(default = 60000)]
    pub timeout_ms: i32,
    /// The changes.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Whether to check only, and change nothing.
    #[field(versions = "1+")]
    pub validate_only: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UpdateFeaturesRequest {
    type Response = UpdateFeaturesResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UpdateFeaturesResponse {
        UpdateFeaturesResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// One feature's level to be.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FeatureUpdateKey {
    /// The feature's name.
    pub feature: ByteString,
    /// The highest finalized level.
    pub max_version_level: i16,
    /// Whether the level may sink.
    #[field(versions = "0")]
    pub allow_downgrade: bool,
    /// 1 upgrade, 2 safe downgrade, 3 unsafe downgrade.
    #[field(versions = "1+", default = 1)]
    pub upgrade_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 57, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The outcome of each.
    #[field(versions = "0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one feature.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct UpdatableFeatureResult {
    /// The feature's name.
    pub feature: ByteString,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
