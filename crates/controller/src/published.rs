//! What the quorum has committed: the image that everybody reads, and the state machine that makes it.

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use ottla_consensus::{SnapshotCheck, StateMachine};
use ottla_metadata::image::LeaderRecoveryState;
use ottla_metadata::{MetadataImage, MetadataRecord, RecordBatch};
use ottla_telemetry::Counter;
use ottla_types::{LeaderEpoch, Offset};
use parking_lot::Mutex;
use tokio::sync::{SetOnce, watch};

use crate::feed::{Feed, FeedEntry};

/// The committed metadata of this node, for any number of readers.
#[derive(Debug)]
pub(crate) struct Published {
    image: ArcSwap<MetadataImage>,
    feed: Mutex<Feed>,
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

    fn fail(&self, reason: String) {
        tracing::error!("metadata cannot be applied, this controller stops serving: {reason}");
        // The first reason is the one that counts.
        let _ = self.failure.set(reason);
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
    fn apply(&mut self, offset: Offset, epoch: LeaderEpoch, payload: &Bytes) {
        let published = &self.0;
        if published.failure().is_some() {
            return;
        }
        let batch = match RecordBatch::decode(payload.clone()) {
            Ok(batch) => batch,
            Err(error) => return published.fail(format!("log offset {offset}: {error}")),
        };
        let image = published.image();
        if batch.base_offset != image.offset.next() {
            // Decided by a leader that did not know all that was committed before. All voters leave it out.
            tracing::warn!(%offset, base = %batch.base_offset, expected = %image.offset.next(), "metadata batch refused");
            *published.refused.lock() = Some(offset);
            return;
        }
        match image.apply(&batch.records) {
            Ok((next, _)) => {
                published
                    .unclean_elections
                    .add(batch.records.iter().filter(|record| is_unclean(record)).count() as u64);
                // A copy: the payload may be a slice of a whole segment of the quorum's log.
                let payload = Bytes::copy_from_slice(payload);
                let entry = FeedEntry { base_offset: batch.base_offset, epoch, payload };
                published.feed.lock().push(entry);
                published.publish(next);
            }
            Err(error) => published.fail(format!("log offset {offset}: {error}")),
        }
    }

    fn snapshot(&self) -> Bytes {
        self.0.image().encode_snapshot().unwrap_or_else(|error| {
            // Every record of an image has been decoded before, so it can be encoded. An empty snapshot is never
            // taken for a good one.
            tracing::error!("metadata snapshot: {error}");
            Bytes::new()
        })
    }

    fn restore(
        &mut self,
        _offset: Offset,
        _epoch: LeaderEpoch,
        snapshot: &Bytes,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let image = MetadataImage::decode_snapshot(snapshot.clone())?;
        self.0.feed.lock().clear();
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
