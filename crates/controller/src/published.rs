//! What the quorum has committed: the image that everybody reads, and the state machine that makes it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use ottla_consensus::{SnapshotCheck, StateMachine, StateMachineError};
use ottla_metadata::image::LeaderRecoveryState;
use ottla_metadata::{LostLeaderships, MetadataImage, MetadataRecord, RecordBatch};
use ottla_telemetry::Counter;
use ottla_types::{LeaderEpoch, NodeId, Offset};
use parking_lot::Mutex;
use tokio::sync::{SetOnce, watch};

use crate::feed::{Feed, FeedEntry};

/// The committed metadata of this node, for any number of readers.
#[derive(Debug)]
pub(crate) struct Published {
    image: ArcSwap<MetadataImage>,
    feed: Mutex<Feed>,
    losses: Mutex<LostLeaderships>,
    offset: watch::Sender<Offset>,
    refused: Mutex<Option<Offset>>,
    failure: SetOnce<String>,
    unclean_elections: Counter,
}

impl Published {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            image: ArcSwap::from_pointee(MetadataImage::empty()),
            feed: Mutex::default(),
            losses: Mutex::default(),
            offset: watch::Sender::new(Offset::NONE),
            refused: Mutex::default(),
            failure: SetOnce::new(),
            unclean_elections: Counter::default(),
        })
    }

    /// The newest image.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// Who has lost which leaderships, of all that the newest image has, or of more.
    pub(crate) fn losses(&self) -> LostLeaderships {
        self.losses.lock().clone()
    }

    /// The record that took a leadership from `broker` last.
    pub(crate) fn lost_by(&self, broker: NodeId) -> Offset {
        self.losses.lock().last_of(broker)
    }

    /// Tells the offset of each new image.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Offset> {
        self.offset.subscribe()
    }

    /// The batches after `offset`; `None` if only a snapshot helps.
    pub(crate) fn batches_after(&self, offset: Offset, max_bytes: usize) -> Option<Vec<FeedEntry>> {
        self.feed.lock().after(offset, max_bytes)
    }

    /// Whether the batch at this offset of the quorum's log was made for another image.
    pub(crate) fn was_refused(&self, log_offset: Offset) -> bool {
        *self.refused.lock() == Some(log_offset)
    }

    /// Why this node does not follow the metadata any more.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Returns with the reason when this node does not follow the metadata any more.
    pub(crate) async fn failed(&self) -> String {
        self.failure.wait().await.clone()
    }

    /// How many elections since this process started had to take a replica that was out of sync.
    pub(crate) fn unclean_elections(&self) -> u64 {
        self.unclean_elections.get()
    }

    /// Makes the reason known at once: the quorum takes a moment to stop.
    pub(crate) fn fail(&self, reason: String) -> StateMachineError {
        tracing::error!("this controller stops serving: {reason}");
        // The first reason is the one that counts.
        let _ = self.failure.set(reason.clone());
        reason.into()
    }

    fn publish(&self, image: MetadataImage) {
        let offset = image.offset;
        self.image.store(Arc::new(image));
        self.offset.send_replace(offset);
    }
}

/// Applies what the quorum commits. Runs alike on every voter: nothing here depends on the node or the time.
#[derive(Debug)]
pub(crate) struct MetadataStateMachine(pub(crate) Arc<Published>);

impl StateMachine for MetadataStateMachine {
    fn apply(
        &mut self,
        offset: Offset,
        epoch: LeaderEpoch,
        payload: &Bytes,
    ) -> Result<(), StateMachineError> {
        let published = &self.0;
        let failed = |error: &dyn std::fmt::Display| {
            published.fail(format!("metadata at log offset {offset} cannot be applied: {error}"))
        };
        let batch = RecordBatch::decode(payload.clone()).map_err(|error| failed(&error))?;
        let image = published.image();
        if batch.base_offset != image.offset.next() {
            // Decided by a leader that did not know all that was committed before. All voters leave it out.
            tracing::warn!(%offset, base = %batch.base_offset, expected = %image.offset.next(), "metadata batch refused");
            *published.refused.lock() = Some(offset);
            return Ok(());
        }
        let (next, delta) = image.apply(&batch.records).map_err(|error| failed(&error))?;
        // Before anybody can act on it.
        published.losses.lock().note(&image, &next, &delta);
        let unclean = batch.records.iter().filter(|record| is_unclean(record)).count();
        published.unclean_elections.add(unclean as u64);
        // A copy: the payload may be a slice of a whole segment of the quorum's log.
        let payload = Bytes::copy_from_slice(payload);
        published.feed.lock().push(FeedEntry { base_offset: batch.base_offset, epoch, payload });
        published.publish(next);
        Ok(())
    }

    fn snapshot(&self) -> Result<Bytes, StateMachineError> {
        // Every record of an image has been decoded before, so it can be encoded.
        let snapshot = self.0.image().encode_snapshot();
        snapshot
            .map_err(|error| self.0.fail(format!("a snapshot of the metadata cannot be written: {error}")))
    }

    fn restore(
        &mut self,
        _offset: Offset,
        _epoch: LeaderEpoch,
        snapshot: &Bytes,
    ) -> Result<(), StateMachineError> {
        let image = MetadataImage::decode_snapshot(snapshot.clone())?;
        self.0.feed.lock().clear();
        *self.0.losses.lock() = LostLeaderships::after(image.offset);
        self.0.publish(image);
        Ok(())
    }

    fn snapshot_check(&self) -> SnapshotCheck {
        |snapshot| {
            MetadataImage::decode_snapshot(snapshot.clone())?;
            Ok(())
        }
    }
}

/// Whether the record elects a leader that has to recover.
fn is_unclean(record: &MetadataRecord) -> bool {
    let recovering = LeaderRecoveryState::Recovering.code();
    matches!(record, MetadataRecord::PartitionChange(change) if change.leader_recovery_state == recovering)
}

#[cfg(test)]
#[path = "published_test.rs"]
mod tests;
