//! BrokerRegistration: a broker process announces itself; the answer is the epoch that fences its former incarnations.
//!
//! Errors: INCONSISTENT_CLUSTER_ID, DUPLICATE_BROKER_REGISTRATION, INVALID_REGISTRATION, UNSUPPORTED_VERSION (features),
//! BROKER_ID_NOT_REGISTERED (a broker that migrates from ZooKeeper), NOT_CONTROLLER.

use std::sync::Arc;

use ottla_metadata::image::{Endpoint, FeatureRange};
use ottla_metadata::plan::{Registration, plan_register_broker};
use ottla_protocol::messages::{BrokerRegistrationRequest, BrokerRegistrationResponse};
use ottla_protocol::{ErrorCode, Request};
use ottla_server::RequestContext;
use ottla_types::{BrokerEpoch, NodeId};

use crate::Controller;
use crate::error_codes::Coded;

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: BrokerRegistrationRequest,
) -> BrokerRegistrationResponse {
    if request.is_migrating_zk_broker {
        return request.error_response(cx.version, ErrorCode::BROKER_ID_NOT_REGISTERED);
    }
    let registration = registration(&request);
    let broker = registration.broker;
    let sessions = Arc::clone(&controller.sessions);
    let (cluster_id, now) = (controller.cluster_id().to_owned(), controller.now());
    let outcome = controller
        .decide(move |plan| {
            let mut sessions = sessions.lock();
            let decision = plan_register_broker(
                plan.image,
                plan.settings,
                &cluster_id,
                &registration,
                sessions.is_live(broker, now),
            );
            if decision.answer.is_ok() {
                sessions.begin(broker, now);
            }
            decision
        })
        .await;
    let error = match outcome {
        Ok(Ok(epoch)) => {
            tracing::info!(%broker, %epoch, "broker registered");
            return BrokerRegistrationResponse { broker_epoch: epoch.0, ..Default::default() };
        }
        Ok(Err(error)) => {
            tracing::warn!(%broker, "broker not registered: {error}");
            error.code()
        }
        Err(error) => error.code(),
    };
    request.error_response(cx.version, error)
}

fn registration(request: &BrokerRegistrationRequest) -> Registration {
    Registration {
        broker: NodeId(request.broker_id),
        cluster_id: request.cluster_id.clone(),
        incarnation_id: request.incarnation_id,
        endpoints: request
            .listeners
            .iter()
            .map(|listener| Endpoint {
                listener: listener.name.clone(),
                host: listener.host.clone(),
                port: listener.port,
                security_protocol: listener.security_protocol,
            })
            .collect(),
        features: request
            .features
            .iter()
            .map(|feature| FeatureRange {
                name: feature.name.clone(),
                min: feature.min_supported_version,
                max: feature.max_supported_version,
            })
            .collect(),
        rack: request.rack.clone(),
        directories: request.log_dirs.clone(),
        previous_epoch: BrokerEpoch(request.previous_broker_epoch),
    }
}
