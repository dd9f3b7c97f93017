//! ApiVersions: which APIs, versions and features a client can use here. Shared by broker and controller.
//!
//! Versions: 3 brings the client's software name and version (KIP-511) and features (KIP-584); 4 lets a supported
//! feature start at 0 (KAFKA-17011); 5 says which node of which cluster the client means to talk to (KIP-1242).
//! A version above the highest is answered in version 0 with UNSUPPORTED_VERSION and our own range, never by closing:
//! that is how clients of the future find out.
//!
//! Errors: UNSUPPORTED_VERSION, INVALID_REQUEST (malformed software name or version), REBOOTSTRAP_REQUIRED (another
//! node or cluster is meant).

use ottla_network::Reply;
use ottla_protocol::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use ottla_protocol::{ByteString, ErrorCode, Request};
use ottla_types::Detach;

use crate::{Answer, ApiRow, ClientSoftware, Exchange, ListenerKind};

/// The first version with the client's software.
const SOFTWARE_FROM: i16 = 3;
/// The first version whose readers take a supported feature that starts at 0.
const ZERO_FEATURES_FROM: i16 = 4;
/// The first version that says whom the client means.
const TARGET_FROM: i16 = 5;

/// What only the host knows of its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeFeatures {
    /// This node.
    pub node_id: i32,
    /// This cluster, once it is known.
    pub cluster_id: Option<ByteString>,
    /// What this software can do.
    pub supported: Vec<FeatureRange>,
    /// What the cluster has agreed on, with the metadata offset that it was read at; −1 if not known yet.
    pub finalized_epoch: i64,
    /// Those levels.
    pub finalized: Vec<FeatureRange>,
}

/// The levels of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    /// Such as `metadata.version`.
    pub name: ByteString,
    /// The lowest.
    pub min: i16,
    /// The highest; of a finalized feature, its level.
    pub max: i16,
}

/// A host whose table has the row `ApiVersionsRequest, … => api_versions;`.
pub trait HasFeatures {
    /// The features of this moment.
    fn features(&self) -> NodeFeatures;
}

/// The handler of `=> api_versions;`.
pub fn handle<H: HasFeatures>(exchange: &Exchange<H>, request: ApiVersionsRequest) -> Reply {
    let version = exchange.context.version;
    if version >= SOFTWARE_FROM {
        if !is_valid(&request.client_software_name) || !is_valid(&request.client_software_version) {
            return exchange.refuse(&request, ErrorCode::INVALID_REQUEST);
        }
        // As long as the connection lives: the frame may be large, and is no longer counted then.
        exchange.connection.set_software(ClientSoftware {
            name: request.client_software_name.detach(),
            version: request.client_software_version.detach(),
        });
    }
    let features = exchange.host().features();
    if version >= TARGET_FROM && !is_meant(&request, &features) {
        return exchange.refuse(&request, ErrorCode::REBOOTSTRAP_REQUIRED);
    }
    let listener = exchange.connection.listener;
    exchange.reply::<ApiVersionsRequest>(respond(exchange.shared.table, listener, version, features))
}

/// The answer to a version that we do not know.
pub(crate) fn unsupported<H>(exchange: &Exchange<H>) -> Reply {
    let error = ErrorCode::UNSUPPORTED_VERSION;
    let response = ApiVersionsRequest::default().error_response(0, error);
    exchange.reply_in::<ApiVersionsRequest>(Answer::Response(response), 0)
}

fn respond<H>(
    table: &[ApiRow<H>],
    listener: ListenerKind,
    version: i16,
    features: NodeFeatures,
) -> ApiVersionsResponse {
    // Nodes find out there which versions of these they have in common; clients have no use for them.
    let tells_private = listener == ListenerKind::Controller;
    let rows = table.iter().filter(|row| row.is_on(listener) && (tells_private || !row.key.is_private()));
    let mut api_keys: Vec<ApiVersion> = rows
        .map(|row| ApiVersion {
            api_key: row.key.code(),
            min_version: row.advertised.min,
            max_version: row.advertised.max,
            ..Default::default()
        })
        .collect();
    api_keys.sort_by_key(|api| api.api_key);
    let supported =
        features.supported.into_iter().filter(|range| range.min > 0 || version >= ZERO_FEATURES_FROM);
    let supported_features = supported.map(|range| SupportedFeatureKey {
        name: range.name,
        min_version: range.min,
        max_version: range.max,
        ..Default::default()
    });
    let finalized_features = features.finalized.into_iter().map(|range| FinalizedFeatureKey {
        name: range.name,
        min_version_level: range.min,
        max_version_level: range.max,
        ..Default::default()
    });
    ApiVersionsResponse {
        api_keys,
        supported_features: supported_features.collect(),
        finalized_features_epoch: features.finalized_epoch,
        finalized_features: finalized_features.collect(),
        ..Default::default()
    }
}

/// Kafka's pattern `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?` (`ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN`).
fn is_valid(text: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

/// Whether the client means this node of this cluster, or does not say.
fn is_meant(request: &ApiVersionsRequest, features: &NodeFeatures) -> bool {
    let cluster = request.cluster_id.as_ref().is_none_or(|wanted| match &features.cluster_id {
        Some(cluster) => wanted == cluster,
        None => true,
    });
    cluster && (request.node_id < 0 || request.node_id == features.node_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_kafkas() {
        for good in ["apache-kafka-java", "librdkafka", "2.3.0-RC1", "a", "1"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "-a", "a-", ".", "a b", "a_b", "ü", "a\n"] {
            assert!(!is_valid(bad), "{bad}");
        }
    }

    #[test]
    fn whoever_means_another_node_or_cluster_is_sent_back_to_bootstrap() {
        let here = NodeFeatures { node_id: 1, cluster_id: Some("c".into()), ..Default::default() };
        let request = |cluster_id: Option<&str>, node_id| ApiVersionsRequest {
            cluster_id: cluster_id.map(Into::into),
            node_id,
            ..Default::default()
        };
        assert!(is_meant(&request(None, -1), &here));
        assert!(is_meant(&request(Some("c"), 1), &here));
        assert!(!is_meant(&request(Some("d"), 1), &here));
        assert!(!is_meant(&request(Some("c"), 2), &here));
    }
}
