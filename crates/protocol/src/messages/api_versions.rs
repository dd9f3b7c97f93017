use crate::{ApiMessage, ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 18, versions = "0-5", flexible = "3+")]
pub struct ApiVersionsRequest {
    #[field(versions = "3+", ignorable)]
    pub client_software_name: ByteString,
    #[field(versions = "3+", ignorable)]
    pub client_software_version: ByteString,
    #[field(versions = "5+", default = null, ignorable)]
    pub cluster_id: Option<ByteString>,
    #[field(versions = "5+", default = -1, ignorable)]
    pub node_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ApiVersionsRequest {
    type Response = ApiVersionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ApiVersionsResponse {
        let mut response = ApiVersionsResponse { error_code: error, ..Default::default() };
        // A client that asked in a version of the future learns here which one to use (KIP-511). The response is
        // then written in version 0, which every client reads.
        if error == ErrorCode::UNSUPPORTED_VERSION {
            let (min_version, max_version) = Self::VERSIONS.into_inner();
            let own =
                ApiVersion { api_key: Self::KEY.code(), min_version, max_version, ..Default::default() };
            response.api_keys.push(own);
        }
        response
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 18, versions = "0-5", flexible = "3+")]
pub struct ApiVersionsResponse {
    pub error_code: ErrorCode,
    pub api_keys: Vec<ApiVersion>,
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    #[field(versions = "3+", tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    #[field(versions = "3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    #[field(versions = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SupportedFeatureKey {
    pub name: ByteString,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FinalizedFeatureKey {
    pub name: ByteString,
    pub max_version_level: i16,
    pub min_version_level: i16,
    pub unknown_tagged_fields: TaggedFields,
}
