//! Levels of features.

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

use crate::RawClient;

/// `FeatureUpdate.UpgradeType`: to a higher level.
pub const UPGRADE: i8 = 1;
/// To a lower level that loses nothing.
pub const SAFE_DOWNGRADE: i8 = 2;

impl RawClient {
    /// Has the cluster go to this level of the feature; the error, and why.
    pub fn update_feature(&mut self, feature: &str, level: i16, upgrade_type: i8) -> (ErrorCode, String) {
        let update = FeatureUpdateKey {
            feature: feature.into(),
            max_version_level: level,
            upgrade_type,
            ..Default::default()
        };
        let request =
            UpdateFeaturesRequest { feature_updates: vec![update], timeout_ms: 10_000, ..Default::default() };
        let answer = self.call(1, &request);
        (answer.error_code, answer.error_message.map(|text| text.to_string()).unwrap_or_default())
    }
}
