//! What becomes of a batch, shared by all its records.

use std::sync::{Arc, OnceLock};

use ottla_types::{Offset, TimestampMs, TopicPartition};
use tokio::sync::Notify;

use super::record::RecordMetadata;
use crate::Result;

/// A batch's end.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    result: OnceLock<Result<Written>>,
    done: Notify,
}

/// An acknowledged batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) base_offset: Option<Offset>,
    pub(crate) append_time: Option<TimestampMs>,
}

impl Outcome {
    /// Only the first result counts.
    pub(crate) fn set(&self, result: Result<Written>) {
        // A second one can only be a late failure of a batch that is done.
        let _ = self.result.set(result);
        self.done.notify_waiters();
    }

    pub(crate) async fn wait(&self) -> Result<Written> {
        let done = self.done.notified();
        tokio::pin!(done);
        // Registered before the look at the result, so that none is missed in between.
        done.as_mut().enable();
        if self.result.get().is_none() {
            done.await;
        }
        match self.result.get() {
            Some(result) => result.clone(),
            None => Err(crate::ClientError::Closed { what: "producer" }),
        }
    }
}

/// A record on its way. Dropping it does not stop the record.
#[derive(Clone, Debug)]
#[must_use = "a record may fail later; wait for its delivery, or for Producer::flush"]
pub struct Delivery {
    pub(crate) outcome: Arc<Outcome>,
    pub(crate) index: i32,
    pub(crate) partition: TopicPartition,
    pub(crate) timestamp: TimestampMs,
}

impl Delivery {
    /// Waits until the record is acknowledged, or has failed for good.
    pub async fn acknowledged(self) -> Result<RecordMetadata> {
        let written = self.outcome.wait().await?;
        Ok(RecordMetadata {
            partition: self.partition,
            offset: written.base_offset.map(|base| base + i64::from(self.index)),
            timestamp: written.append_time.unwrap_or(self.timestamp),
        })
    }

    /// The record's topic and partition.
    pub const fn partition(&self) -> &TopicPartition {
        &self.partition
    }
}
