//! What the other voters of the quorum support: each is asked, as a client would, when a feature is to be finalized. A voter that
//! could not read what comes then would have to stop.

use std::time::Duration;

use ottla_consensus::VoterState;
use ottla_metadata::image::FeatureRange;
use ottla_metadata::plan::VoterFeatures;
use ottla_network::{ClientOptions, Connection};

use crate::Controller;

/// How long a voter may take to answer.
const ASK_WITHIN: Duration = Duration::from_secs(1);

impl Controller {
    /// Asks them one after the other.
    pub(crate) async fn voter_features(&self) -> Vec<VoterFeatures> {
        let voters = self.quorum_state().voters;
        let mut told = Vec::new();
        for voter in voters.iter().filter(|voter| voter.id != self.node_id()) {
            let features = ask(voter).await;
            if let Err(reason) = &features {
                tracing::warn!(voter = %voter.id, "it does not say which features it supports: {reason}");
            }
            told.push(VoterFeatures { voter: voter.id, features: features.ok() });
        }
        told
    }
}

async fn ask(voter: &VoterState) -> Result<Vec<FeatureRange>, String> {
    let connected = Connection::connect(&voter.endpoint, ASK_WITHIN, ClientOptions::default()).await;
    let connection = connected.map_err(|error| error.to_string())?;
    let told = connection.api_versions(ASK_WITHIN).await.map_err(|error| error.to_string())?;
    let ranges = told.supported_features.into_iter().map(|feature| FeatureRange {
        name: feature.name,
        min: feature.min_version,
        max: feature.max_version,
    });
    Ok(ranges.collect())
}
