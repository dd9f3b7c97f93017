//! Pulls the metadata log from a controller and applies it: deltas as they are committed, a snapshot when this broker is
//! too far behind. The broker is not a voter and not a learner of the quorum.

use std::sync::Arc;
use std::time::Duration;

use ottla_metadata::{
    ApplyError, BatchError, MetadataChange, MetadataDelta, MetadataFollower, MetadataImage, RecordBatch,
};
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::private::{FetchMetadataRequest, FetchMetadataResponse};
use ottla_types::{ByteString, LeaderEpoch, NodeId, Offset};

use crate::controller_channel::{ControllerChannel, Controllers};
use crate::lifecycle::Registration;
use crate::metadata_cache::MetadataCache;

/// How long a controller may hold a request for which it has nothing yet.
const MAX_WAIT: Duration = Duration::from_millis(500);
/// The same for the only controller, in this process: its answer without news says nothing, not even who leads.
const MAX_WAIT_LOCAL: Duration = Duration::from_secs(10);
const MAX_BYTES: i32 = 8 * 1024 * 1024;
const RETRY: Duration = Duration::from_millis(50);
const RETRY_LEVEL: Duration = Duration::from_secs(5);
const RETRY_BACKWARDS: Duration = Duration::from_millis(500);

/// What the feed is for: called after each change with the image before, the image after and what lies between.
pub(crate) trait OnMetadata: Send + Sync + 'static {
    /// Does what the change asks of this broker; may work with files. The new image is published after it returns, so that requests do not
    /// see partitions that are not there yet.
    fn apply(&self, before: &MetadataImage, after: &Arc<MetadataImage>, delta: &MetadataDelta);
}

/// Why an answer of the controller is of no use.
#[derive(Debug, thiserror::Error)]
enum FeedError {
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// What was applied was committed: it is never taken back, and with it no partition's log.
    #[error(
        "the controller offers the metadata up to offset {offered}, this broker has applied it up to {applied}: the controller was \
         replaced and has still to learn it, or the quorum lost what it had committed (then restore its controllers' disks)"
    )]
    Backwards { offered: Offset, applied: Offset },
    /// The partitions that were not reached have roles that may be other brokers' by now, and a lease that heartbeats prolong.
    #[error(
        "a fault of the broker interrupted it while it acted on the metadata up to offset {0}: report it; a new start acts on all of it"
    )]
    Panicked(Offset),
}

impl FeedError {
    /// How long to wait before the next try: what takes another build will not pass soon.
    const fn pause(&self) -> Duration {
        match self {
            Self::Batch(BatchError::Level(_)) => RETRY_LEVEL,
            Self::Backwards { .. } => RETRY_BACKWARDS,
            Self::Batch(_) | Self::Apply(_) | Self::Panicked(_) => RETRY,
        }
    }
}

/// One broker's feed.
pub(crate) struct MetadataFeed {
    pub(crate) node_id: NodeId,
    pub(crate) cluster_id: ByteString,
    pub(crate) channel: ControllerChannel,
    pub(crate) controllers: Arc<Controllers>,
    pub(crate) registration: Arc<Registration>,
    pub(crate) metadata: Arc<MetadataCache>,
}

impl MetadataFeed {
    /// Pulls and applies for as long as the broker runs. Returns with the reason when it must not run on.
    pub(crate) async fn run(self, on_metadata: Arc<dyn OnMetadata>) -> String {
        let mut epoch = 0;
        let mut since = Since::Image;
        let mut follower = MetadataFollower::new();
        let max_wait = if self.controllers.is_only_local() { MAX_WAIT_LOCAL } else { MAX_WAIT };
        loop {
            let request = FetchMetadataRequest {
                cluster_id: self.cluster_id.clone(),
                node_id: self.node_id.0,
                broker_epoch: self.registration.broker_epoch().0,
                epoch,
                offset: since.offset(follower.pulled()).0,
                max_wait_ms: i32::try_from(max_wait.as_millis()).unwrap_or(0),
                max_bytes: MAX_BYTES,
                ..Default::default()
            };
            let response = match self.channel.send_once(&request, max_wait + Duration::from_secs(2)).await {
                Ok(response) => response,
                Err(error) => {
                    tracing::debug!("metadata feed: {error}");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            if response.error_code != ErrorCode::NONE {
                tracing::debug!("metadata feed: {:?}", response.error_code);
                self.channel.not_controller();
                tokio::time::sleep(RETRY).await;
                continue;
            }
            if response.leader_id >= 0 {
                self.controllers.leads(NodeId(response.leader_id), LeaderEpoch(response.epoch));
            }
            epoch = response.epoch;
            match self.take(since, &mut follower, &response, &on_metadata).await {
                Ok(()) => since = Since::Image,
                Err(error @ FeedError::Panicked(_)) => return error.to_string(),
                Err(error @ FeedError::Backwards { .. }) => {
                    tracing::error!("metadata is not taken: {error}");
                    self.channel.not_controller();
                    tokio::time::sleep(error.pause()).await;
                }
                Err(error) => {
                    tracing::error!("metadata cannot be applied: {error}; starting over");
                    since = Since::Nothing;
                    tokio::time::sleep(error.pause()).await;
                }
            }
        }
    }

    /// Applies what a response brings, as soon as `follower` lets it.
    async fn take(
        &self,
        since: Since,
        follower: &mut MetadataFollower,
        response: &FetchMetadataResponse,
        on_metadata: &Arc<dyn OnMetadata>,
    ) -> Result<(), FeedError> {
        let (after, delta) = advance(follower.pulled(), since, response)?;
        if after.offset == follower.pulled().offset && since != Since::Nothing {
            return Ok(());
        }
        let Some(change) = follower.take(after, delta, self.registration.broker_epoch()) else {
            return Ok(());
        };
        let MetadataChange { before, after, delta } = change;
        let after = Arc::new(after);
        let (applies, image) = (Arc::clone(on_metadata), Arc::clone(&after));
        let applied = tokio::task::spawn_blocking(move || applies.apply(&before, &image, &delta));
        if applied.await.is_err() {
            return Err(FeedError::Panicked(after.offset));
        }
        self.metadata.publish(after);
        // Being caught up is what the controller waits for before it unfences.
        if self.registration.is_fenced() {
            self.registration.heartbeat_now();
        }
        Ok(())
    }
}

/// What a controller is asked for: all that came after …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// … what was pulled.
    Image,
    /// … nothing: what came after the image did not fit to it.
    Nothing,
}

impl Since {
    fn offset(self, image: &MetadataImage) -> Offset {
        match self {
            Self::Image => image.offset,
            Self::Nothing => Offset::NONE,
        }
    }
}

/// The image that a response leads to, and what differs from `before`.
fn advance(
    before: &MetadataImage,
    since: Since,
    response: &FetchMetadataResponse,
) -> Result<(MetadataImage, MetadataDelta), FeedError> {
    let (mut after, mut delta) = (before.clone(), MetadataDelta::default());
    if since == Since::Nothing {
        after = MetadataImage::empty();
    }
    if let Some(snapshot) = &response.snapshot {
        after = MetadataImage::decode_snapshot(snapshot.clone())?;
        delta = MetadataDelta::between(before, &after);
    }
    for entry in &response.entries {
        let batch = RecordBatch::decode(entry.payload.clone())?;
        // A batch that the image holds already is not news.
        if batch.last_offset() > after.offset {
            let (next, change) = after.apply(&batch.records)?;
            after = next;
            delta.merge(change);
        }
    }
    if since == Since::Nothing {
        delta = MetadataDelta::between(before, &after);
    }
    if after.offset < before.offset {
        return Err(FeedError::Backwards { offered: after.offset, applied: before.offset });
    }
    Ok((after, delta))
}

#[cfg(test)]
mod tests {
    use ottla_metadata::image::Features;
    use ottla_metadata::{MetadataRecord, encode_batch};
    use ottla_network::ClientOptions;
    use ottla_protocol::Uuid;
    use ottla_protocol::messages::private::MetadataEntry;
    use ottla_protocol::records::metadata::TopicRecord;

    use super::*;

    /// A response with the creation of a topic as the log's entry at `offset`.
    fn creation(offset: i64, topic: &'static str, id: u8) -> FetchMetadataResponse {
        let record = TopicRecord {
            name: ByteString::from_static(topic),
            topic_id: Uuid([id; 16]),
            ..Default::default()
        };
        let records = vec![MetadataRecord::Topic(record)];
        let payload = encode_batch(&Features::default(), Offset(offset), &records).unwrap();
        let entry = MetadataEntry { offset, payload, ..Default::default() };
        FetchMetadataResponse { entries: vec![entry], ..Default::default() }
    }

    fn names(image: &MetadataImage) -> Vec<&str> {
        image.topics.iter().map(|topic| topic.name.as_str()).collect()
    }

    /// Whoever acts on it is of no use.
    struct Faulty;

    impl OnMetadata for Faulty {
        fn apply(&self, _: &MetadataImage, _: &Arc<MetadataImage>, _: &MetadataDelta) {
            panic!("half way");
        }
    }

    #[tokio::test]
    async fn what_was_acted_on_half_way_is_not_published_and_ends_the_feed() {
        let controllers = Controllers::new(Vec::new());
        let (options, timeout) = (ClientOptions::default(), Duration::from_secs(1));
        let feed = MetadataFeed {
            node_id: NodeId(1),
            cluster_id: ByteString::from_static("cluster"),
            channel: ControllerChannel::new(Arc::clone(&controllers), options, timeout),
            controllers,
            registration: Arc::default(),
            metadata: Arc::default(),
        };
        let on_metadata: Arc<dyn OnMetadata> = Arc::new(Faulty);
        let mut follower = MetadataFollower::new();
        let taken = feed.take(Since::Image, &mut follower, &creation(0, "a", 1), &on_metadata).await;
        assert!(matches!(taken, Err(FeedError::Panicked(Offset(0)))), "{taken:?}");
        assert!(feed.metadata.image().is_empty());
    }

    #[test]
    fn entries_are_applied_once() {
        let (image, _) = advance(&MetadataImage::empty(), Since::Image, &creation(0, "a", 1)).unwrap();
        let (image, delta) = advance(&image, Since::Image, &creation(1, "b", 2)).unwrap();
        assert_eq!((names(&image), delta.topics.created.len()), (vec!["a", "b"], 1));
        let (image, delta) = advance(&image, Since::Image, &creation(1, "b", 2)).unwrap();
        assert_eq!((names(&image), delta.is_empty()), (vec!["a", "b"], true));
    }

    #[test]
    fn what_was_applied_is_not_taken_back() {
        let (old, _) = advance(&MetadataImage::empty(), Since::Image, &creation(0, "a", 1)).unwrap();
        let (image, _) = advance(&old, Since::Image, &creation(1, "b", 2)).unwrap();
        let snapshot = Some(old.encode_snapshot().unwrap());
        let stale = FetchMetadataResponse { snapshot, snapshot_offset: 0, ..Default::default() };
        for since in [Since::Image, Since::Nothing] {
            assert!(matches!(advance(&image, since, &stale), Err(FeedError::Backwards { .. })));
        }
        assert!(
            advance(&image, Since::Nothing, &FetchMetadataResponse::default()).is_err(),
            "no topic is deleted"
        );
    }

    #[test]
    fn starting_over_keeps_nothing_of_the_image_that_did_not_fit() {
        let (image, _) = advance(&MetadataImage::empty(), Since::Image, &creation(0, "a", 1)).unwrap();
        // The same topic again does not fit.
        let again = creation(1, "a", 1);
        assert!(matches!(advance(&image, Since::Image, &again), Err(FeedError::Apply(_))));
        let (after, delta) = advance(&image, Since::Nothing, &creation(0, "b", 2)).unwrap();
        assert_eq!(names(&after), ["b"]);
        assert_eq!(delta.topics.deleted.keys().collect::<Vec<_>>(), [&Uuid([1; 16])]);
        assert_eq!(delta.topics.created.iter().collect::<Vec<_>>(), [&Uuid([2; 16])]);
    }
}
