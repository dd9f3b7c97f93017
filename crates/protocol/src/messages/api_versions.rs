//! Tells which versions of which APIs a node has, and the cluster's features.

use crate::{ApiMessage, ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The first request on a connection: what can the node do?
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 18, versions = "0-5", flexible = "3+")]
pub struct ApiVersionsRequest {
    /// The name of the client's library (KIP-511).
    #[field(versions = "3+", ignorable)]
    pub client_software_name: ByteString,
    /// The version of the client's library (KIP-511).
    #[field(versions = "3+", ignorable)]
    pub client_software_version: ByteString,
    /// The cluster that the client expects (KIP-1242); null for any.
    #[field(versions = "5+", default = null, ignorable)]
    pub cluster_id: Option<ByteString>,
    /// The node that the client expects (KIP-1242); −1 for any.
    #[field(versions = "5+", default = -1, ignorable)]
    pub node_id: i32,
    /// Tagged fields of newer versions.
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

/// The node's APIs and features. Its header never has tagged fields; to a request of an unknown version it is
/// written in version 0 (KIP-511).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 18, versions = "0-5", flexible = "3+")]
pub struct ApiVersionsResponse {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// The APIs.
    pub api_keys: Vec<ApiVersion>,
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Which feature levels the node supports (KIP-584).
    #[field(versions = "3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Counts changes of the finalized features; −1 if they are not known.
    #[field(versions = "3+", tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    /// The feature levels that the whole cluster uses.
    #[field(versions = "3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Whether a migration from ZooKeeper could start; always false here.
    #[field(versions = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One API.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ApiVersion {
    /// The API's number.
    pub api_key: i16,
    /// The lowest version.
    pub min_version: i16,
    /// The highest version.
    pub max_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Levels of one feature that the node supports.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct SupportedFeatureKey {
    /// The feature.
    pub name: ByteString,
    /// The lowest level that the node supports.
    pub min_version: i16,
    /// The highest level that the node supports.
    pub max_version: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Levels of one feature that the cluster uses.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct FinalizedFeatureKey {
    /// The feature.
    pub name: ByteString,
    /// The highest finalized level.
    pub max_version_level: i16,
    /// The lowest finalized level.
    pub min_version_level: i16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
