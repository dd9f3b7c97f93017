//! BrokerHeartbeat: keeps the broker's session alive, and fences, unfences or shuts it down as it asks.
//!
//! Most heartbeats change nothing; those are answered at once from the committed image. The answer says `is_caught_up` to a broker that knows
//! which leaderships were taken from it: the lease of one that does not is not prolonged. Errors: STALE_BROKER_EPOCH (it has
//! to register again), NOT_CONTROLLER.

use std::sync::Arc;

use ottla_metadata::plan::{Decision, Heartbeat, HeartbeatAnswer, StaleBrokerEpoch, plan_heartbeat};
use ottla_protocol::Request;
use ottla_protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use ottla_server::RequestContext;
use ottla_types::{BrokerEpoch, NodeId, Offset};

use crate::error_codes::Coded;
use crate::{Controller, ControllerError};

pub(crate) async fn handle(
    controller: &Controller,
    cx: &RequestContext,
    request: BrokerHeartbeatRequest,
) -> BrokerHeartbeatResponse {
    let heartbeat = Heartbeat {
        broker: NodeId(request.broker_id),
        epoch: BrokerEpoch(request.broker_epoch),
        metadata_offset: Offset(request.current_metadata_offset),
        want_fence: request.want_fence,
        want_shut_down: request.want_shut_down,
        offline_directories: request.offline_log_dirs.clone(),
        cordoned_directories: request.cordoned_log_dirs.clone(),
    };
    let error = match beat(controller, heartbeat, cx.connection_id).await {
        Ok(Ok(answer)) => {
            return BrokerHeartbeatResponse {
                is_caught_up: answer.is_caught_up,
                is_fenced: answer.is_fenced,
                should_shut_down: answer.should_shut_down,
                session_timeout_ms: session_timeout_ms(controller),
                ..Default::default()
            };
        }
        Ok(Err(stale)) => stale.code(),
        Err(error) => error.code(),
    };
    request.error_response(cx.version, error)
}

/// The broker's lease must not outlast it, whatever its own configuration says.
fn session_timeout_ms(controller: &Controller) -> i32 {
    i32::try_from(controller.sessions.lock().timeout().as_millis()).unwrap_or(i32::MAX)
}

async fn beat(
    controller: &Controller,
    heartbeat: Heartbeat,
    connection_id: u64,
) -> Result<Result<HeartbeatAnswer, StaleBrokerEpoch>, ControllerError> {
    controller.check_active()?;
    let image = controller.image();
    let known = image.brokers.get(heartbeat.broker).is_some_and(|broker| broker.epoch == heartbeat.epoch);
    if known {
        let now = controller.now();
        {
            let mut sessions = controller.sessions.lock();
            sessions.touch(heartbeat.broker, heartbeat.metadata_offset, now);
            sessions.heard(heartbeat.broker, connection_id, now);
        }
        // The answer prolongs the broker's lease: a controller that was replaced must not give it, nor one that has yet to apply what
        // the one before it decided.
        controller.confirm_active().await?;
        let image = controller.image();
        let progress = {
            let mut sessions = controller.sessions.lock();
            sessions.has_lost(heartbeat.broker, controller.published.lost_by(heartbeat.broker), now);
            sessions.facts(&image, heartbeat.broker)
        };
        let decision = plan_heartbeat(&image, &controller.settings, &heartbeat, progress);
        if decision.records.is_empty() {
            return Ok(decision.answer);
        }
    }
    let sessions = Arc::clone(&controller.sessions);
    controller
        .decide(move |plan| -> Decision<Result<HeartbeatAnswer, StaleBrokerEpoch>> {
            let mut sessions = sessions.lock();
            let progress = sessions.facts(plan.image, heartbeat.broker);
            let decision = plan_heartbeat(plan.image, plan.settings, &heartbeat, progress);
            if matches!(&decision.answer, Ok(answer) if answer.in_controlled_shutdown) {
                let decided_at = plan.image.offset + decision.records.len() as i64;
                sessions.shutdown_decided(heartbeat.broker, decided_at);
            }
            decision
        })
        .await
}
