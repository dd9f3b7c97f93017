//! Which versions both ends of a connection know. Nodes of a cluster may be of different builds while it is restarted node by
//! node: each asks the other once for a connection, as clients do, and uses the highest version that both know.

use std::ops::RangeInclusive;
use std::time::Duration;

use ottla_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use ottla_protocol::{ApiKey, ApiMessage, ByteString, Request, Version};
use tokio::time::Instant;

use crate::client::{Connection, RequestError};

/// The version in which peers are asked, of all builds the same: the first that tells of features which may be off.
const ASK_IN: Version = 4;

/// What a peer serves.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerVersions {
    ranges: Vec<(ApiKey, RangeInclusive<Version>)>,
}

impl Connection {
    /// Sends `request` in the highest version that both ends know, and waits up to `limit` for the response. The first
    /// request of a connection finds out which that is.
    pub async fn request_newest<R: Request>(
        &self,
        request: &R,
        limit: Duration,
    ) -> Result<R::Response, RequestError> {
        self.request_up_to(request, *R::VERSIONS.end(), limit).await
    }

    /// The same, in no higher version than `newest`.
    pub async fn request_up_to<R: Request>(
        &self,
        request: &R,
        newest: Version,
        limit: Duration,
    ) -> Result<R::Response, RequestError> {
        let deadline = Instant::now() + limit;
        let asked = self.peer.get_or_try_init(|| async {
            let told = self.api_versions(limit).await?;
            Ok::<_, RequestError>(PeerVersions::of(&told))
        });
        let version = asked.await?.common::<R>(newest)?;
        self.request(request, version, deadline.saturating_duration_since(Instant::now())).await
    }

    /// What the peer says that it serves and supports.
    pub async fn api_versions(&self, limit: Duration) -> Result<ApiVersionsResponse, RequestError> {
        let request = ApiVersionsRequest {
            client_software_name: ByteString::from_static("ottla"),
            client_software_version: ByteString::from_static(env!("CARGO_PKG_VERSION")),
            ..ApiVersionsRequest::default()
        };
        let told = self.request(&request, ASK_IN, limit).await?;
        match told.error_code {
            error if error.is_error() => Err(RequestError::Refused { api: ApiVersionsRequest::KEY, error }),
            _ => Ok(told),
        }
    }
}

impl PeerVersions {
    fn of(told: &ApiVersionsResponse) -> Self {
        let range = |api: &ottla_protocol::messages::api_versions::ApiVersion| {
            (ApiKey(api.api_key), api.min_version..=api.max_version)
        };
        Self { ranges: told.api_keys.iter().map(range).collect() }
    }

    /// The highest version of `R`, up to `newest`, that this build and the peer know.
    fn common<R: Request>(&self, newest: Version) -> Result<Version, RequestError> {
        let (first, last) = R::VERSIONS.into_inner();
        let peer = self.ranges.iter().find(|(key, _)| *key == R::KEY).map(|(_, range)| range.clone());
        let common = peer.as_ref().map(|peer| (first.max(*peer.start()), last.min(newest).min(*peer.end())));
        match common {
            Some((lowest, highest)) if lowest <= highest => Ok(highest),
            _ => Err(RequestError::NoCommonVersion { api: R::KEY, ours: first..=last.min(newest), peer }),
        }
    }
}

#[cfg(test)]
mod tests {
    use ottla_protocol::messages::HeartbeatRequest;

    use super::*;

    fn common(peer: RangeInclusive<Version>, newest: Version) -> Result<Version, String> {
        let versions = PeerVersions { ranges: vec![(ApiKey(11), 0..=9), (HeartbeatRequest::KEY, peer)] };
        versions.common::<HeartbeatRequest>(newest).map_err(|error| error.to_string())
    }

    #[test]
    fn the_highest_that_both_know() {
        assert_eq!(common(0..=2, 4), Ok(2), "the peer is older");
        assert_eq!(common(0..=9, 4), Ok(4), "the peer is newer");
        assert_eq!(common(0..=9, 3), Ok(3), "and no more than is wanted");
    }

    #[test]
    fn none_in_common_names_both_sides() {
        let refused = common(5..=9, 4).unwrap_err();
        assert!(refused.contains("0 to 4") && refused.contains("5 to 9"), "{refused}");
        let silent = PeerVersions::default().common::<HeartbeatRequest>(4).unwrap_err().to_string();
        assert!(silent.contains("serves none"), "{silent}");
    }
}
