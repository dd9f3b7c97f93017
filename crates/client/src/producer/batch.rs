//! A batch from its first record to its acknowledgement.

use std::sync::Arc;

use bytes::Bytes;
use ottla_records::{BatchBuilder, RecordsError, patch};
use ottla_types::{ProducerEpoch, ProducerId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::delivery::Outcome;
use crate::ClientError;

/// Who an idempotent producer is to the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: ProducerId,
    pub(crate) epoch: ProducerEpoch,
}

/// Records of one partition that travel together.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Its place among the partition's batches; never changes.
    pub(crate) order: u64,
    pub(crate) created: Instant,
    pub(crate) count: i32,
    pub(crate) outcome: Arc<Outcome>,
    /// Given on the first attempt, kept by all others.
    pub(crate) sequence: Option<(Identity, i32)>,
    content: Content,
    /// Gives the memory back when the batch goes.
    memory: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
enum Content {
    Collecting(Box<BatchBuilder>),
    Built(Bytes),
}

impl Batch {
    pub(crate) fn new(order: u64, created: Instant, builder: BatchBuilder) -> Self {
        Self {
            order,
            created,
            count: 0,
            outcome: Arc::default(),
            sequence: None,
            content: Content::Collecting(Box::new(builder)),
            memory: None,
        }
    }

    /// The builder, until the batch is sent for the first time.
    pub(crate) fn builder(&mut self) -> Option<&mut BatchBuilder> {
        match &mut self.content {
            Content::Collecting(builder) => Some(builder),
            Content::Built(_) => None,
        }
    }

    pub(crate) fn hold(&mut self, permit: Option<OwnedSemaphorePermit>) {
        match (&mut self.memory, permit) {
            (Some(held), Some(more)) => held.merge(more),
            (held @ None, more) => *held = more,
            (Some(_), None) => {}
        }
    }

    /// The batch's bytes, stamped with its sequence if it has one.
    pub(crate) fn bytes(&mut self) -> Result<Bytes, RecordsError> {
        match &mut self.content {
            Content::Collecting(builder) => {
                if let Some((identity, sequence)) = self.sequence {
                    builder.set_producer(identity.id, identity.epoch, sequence);
                }
                let bytes = std::mem::take(&mut **builder).build()?;
                self.content = Content::Built(bytes.clone());
                Ok(bytes)
            }
            Content::Built(bytes) => Ok(bytes.clone()),
        }
    }

    /// Gives the batch another sequence; one that was sent already is stamped anew.
    pub(crate) fn restamp(&mut self, identity: Identity, sequence: i32) -> Result<(), RecordsError> {
        if let Content::Built(bytes) = &mut self.content {
            *bytes = patch::with_producer(bytes, identity.id, identity.epoch, sequence)?;
        }
        self.sequence = Some((identity, sequence));
        Ok(())
    }
}

/// Whoever waits for a batch that goes without an outcome learns that the producer is gone.
impl Drop for Batch {
    fn drop(&mut self) {
        self.outcome.set(Err(ClientError::Closed { what: "producer" }));
    }
}
