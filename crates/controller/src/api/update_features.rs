//! UpdateFeatures (KIP-584): the cluster moves to other levels of features, all of the request or none.
//!
//! Versions: 1 brings the kind of upgrade and validation only (KIP-778), 2 has no result per feature any more. Errors:
//! INVALID_UPDATE_VERSION, INVALID_REQUEST, NOT_CONTROLLER.

use ottla_metadata::plan::{FeatureUpdate, UpdateType, plan_update_features};
use ottla_protocol::messages::update_features::{FeatureUpdateKey, UpdatableFeatureResult};
use ottla_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;

use super::coded;
use crate::Controller;
use crate::desk::PlanContext;
use crate::error_codes::Coded;

/// What the answer says of all updates when one is refused (`FeatureControlManager.updateFeatures`).
const NONE_CHANGED: &str = "The update failed for all features since the following feature had an error";

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: UpdateFeaturesRequest,
) -> UpdateFeaturesResponse {
    let version = cx.version;
    let updates: Vec<_> =
        request.feature_updates.iter().map(|update| feature_update(version, update)).collect();
    let validate_only = request.validate_only;
    let (node_id, voters) = (controller.node_id(), controller.voter_features().await);
    let plan = move |cx: PlanContext<'_>| {
        plan_update_features(cx.image, cx.settings, node_id, &voters, &updates, validate_only)
    };
    let outcome = controller.decide(plan).await;
    let (error_code, error_message) = match outcome {
        Ok(Ok(())) => Default::default(),
        Ok(Err(error)) => {
            let (code, message) = coded(&error);
            (code, message.map(|message| format!("{NONE_CHANGED}: {message}").into()))
        }
        // In the shape by which brokers know that they have to ask another controller.
        Err(error) if error.code() == ErrorCode::NOT_CONTROLLER => {
            return request.error_response(cx.version, error.code());
        }
        Err(error) => coded(&error),
    };
    let results = request.feature_updates.iter().map(|update| UpdatableFeatureResult {
        feature: update.feature.clone(),
        error_code,
        error_message: error_message.clone(),
        ..Default::default()
    });
    UpdateFeaturesResponse { results: results.collect(), error_code, error_message, ..Default::default() }
}

fn feature_update(version: i16, update: &FeatureUpdateKey) -> FeatureUpdate {
    let update_type = match version {
        0 if update.allow_downgrade => Some(UpdateType::SafeDowngrade),
        0 => Some(UpdateType::Upgrade),
        _ => UpdateType::from_code(update.upgrade_type),
    };
    FeatureUpdate { name: update.feature.clone(), level: update.max_version_level, update_type }
}
