use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 57, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest {
    #[field(default = 60000)]
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey>,
    #[field(versions = "1+")]
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for UpdateFeaturesRequest {
    type Response = UpdateFeaturesResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> UpdateFeaturesResponse {
        UpdateFeaturesResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FeatureUpdateKey {
    pub feature: ByteString,
    pub max_version_level: i16,
    #[field(versions = "0")]
    pub allow_downgrade: bool,
    #[field(versions = "1+", default = 1)]
    pub upgrade_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 57, versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    #[field(versions = "0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct UpdatableFeatureResult {
    pub feature: ByteString,
    pub error_code: ErrorCode,
    pub error_message: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}
