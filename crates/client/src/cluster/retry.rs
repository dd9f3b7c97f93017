//! Trying again until the time for a call is up.

use std::time::Duration;

use tokio::time::Instant;

use super::Cluster;
use crate::backoff::Backoff;
use crate::{ClientError, Result};

/// The attempts of one call.
#[derive(Debug)]
pub(crate) struct Retry {
    what: String,
    backoff: Backoff,
    timeout: Duration,
    deadline: Instant,
    attempts: u32,
}

impl Retry {
    /// For a call that does `what`, within the cluster's `api_timeout`.
    pub(crate) fn new(cluster: &Cluster, what: impl Into<String>) -> Self {
        let config = &cluster.config;
        Self {
            what: what.into(),
            backoff: Backoff::new(config.retry_backoff, config.retry_backoff_max),
            timeout: config.api_timeout,
            deadline: Instant::now() + config.api_timeout,
            attempts: 0,
        }
    }

    /// How many attempts failed.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Pauses after a failed attempt; gives `error` back if another one makes no sense or would come too late.
    pub(crate) async fn after(&mut self, error: ClientError) -> Result<()> {
        if !error.is_retriable() {
            return Err(error);
        }
        self.attempts += 1;
        let pause = self.backoff.pause();
        if Instant::now() + pause >= self.deadline {
            let what = self.what.clone();
            return Err(ClientError::Timeout { what, after: self.timeout, last: error.to_string() });
        }
        tracing::debug!(what = self.what, %error, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }
}
