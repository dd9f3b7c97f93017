//! Keeps a member in its group between polls.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::heartbeat::HeartbeatRequest;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::leave;
use crate::Result;
use crate::cluster::{Cluster, Lane, Membership};
use crate::error::check;

/// What the coordinator said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Nothing new.
    #[default]
    Stable,
    /// The group rebalances: join again, keeping the member id.
    Rejoin,
    /// The member is out: its partitions may be another's already.
    Lost,
    /// Another member took over the `group.instance.id`.
    Fenced,
}

/// The task that sends heartbeats; it ends with this.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    signal: watch::Receiver<Signal>,
    last_poll: Arc<Mutex<Instant>>,
    task: AbortHandle,
}

impl Heartbeat {
    pub(crate) fn start(
        cluster: Arc<Cluster>,
        lane: Lane,
        membership: Membership,
        interval: Duration,
        max_poll_interval: Duration,
    ) -> Self {
        let (sender, signal) = watch::channel(Signal::Stable);
        let last_poll = Arc::new(Mutex::new(Instant::now()));
        let polled = Arc::clone(&last_poll);
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(interval).await;
                if last(&polled).elapsed() > max_poll_interval {
                    tracing::warn!(group = %membership.group, "no poll within max.poll.interval.ms; leaving the group");
                    leave(&cluster, lane, &membership).await;
                    sender.send_replace(Signal::Lost);
                    return;
                }
                match beat(&cluster, lane, &membership).await {
                    Ok(Signal::Rejoin) => drop(sender.send_replace(Signal::Rejoin)),
                    Ok(Signal::Stable) => {}
                    Ok(last @ (Signal::Lost | Signal::Fenced)) => {
                        sender.send_replace(last);
                        return;
                    }
                    Err(e) => {
                        tracing::debug!(group = %membership.group, error = %e, "heartbeat failed");
                        if Cluster::lost_coordinator(&e) {
                            cluster.forget_coordinator(&membership.group);
                        }
                    }
                }
            }
        });
        Self { signal, last_poll, task: task.abort_handle() }
    }

    /// The application is alive.
    pub(crate) fn polled(&self) {
        *self.last_poll.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(crate) fn signal(&self) -> Signal {
        *self.signal.borrow()
    }

    /// Waits until the signal is no longer stable.
    pub(crate) async fn changed(&mut self) {
        // The task sends before it ends, so a closed channel has something to say too.
        let _ = self.signal.wait_for(|s| *s != Signal::Stable).await;
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn beat(cluster: &Cluster, lane: Lane, membership: &Membership) -> Result<Signal> {
    let connection = cluster.coordinator(&membership.group, lane).await?;
    let request = HeartbeatRequest {
        group_id: membership.group.clone(),
        generation_id: membership.generation,
        member_id: membership.member_id.clone(),
        group_instance_id: membership.instance_id.clone(),
        ..HeartbeatRequest::default()
    };
    let response = connection.call(&request).await?;
    match response.error_code {
        ErrorCode::REBALANCE_IN_PROGRESS => Ok(Signal::Rejoin),
        ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION => Ok(Signal::Lost),
        ErrorCode::FENCED_INSTANCE_ID => Ok(Signal::Fenced),
        code => {
            check(code, None, || format!("heartbeat in group {}", membership.group)).map(|()| Signal::Stable)
        }
    }
}

fn last(polled: &Mutex<Instant>) -> Instant {
    *polled.lock().unwrap_or_else(PoisonError::into_inner)
}
