//! The metadata image that requests are answered from: a snapshot behind an atomic pointer, replaced as a whole.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ottla_metadata::MetadataImage;
use tokio::sync::watch;

/// The image as this broker knows it.
#[derive(Debug)]
pub(crate) struct MetadataCache {
    image: ArcSwap<MetadataImage>,
    published: watch::Sender<()>,
}

/// The image did not come to be as waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the metadata did not change in time")]
pub(crate) struct NotInTime;

impl Default for MetadataCache {
    fn default() -> Self {
        Self { image: ArcSwap::from_pointee(MetadataImage::empty()), published: watch::Sender::new(()) }
    }
}

impl MetadataCache {
    /// The image now. Does not change under its holder.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// Replaces the image and wakes whoever waits for a change.
    pub(crate) fn publish(&self, image: Arc<MetadataImage>) {
        self.image.store(image);
        self.published.send_replace(());
    }

    /// Tells of each image that is published from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.published.subscribe()
    }

    /// Waits until `wanted` holds, at most for `wait`.
    pub(crate) async fn wait_for(
        &self,
        wait: Duration,
        wanted: impl Fn(&MetadataImage) -> bool,
    ) -> Result<Arc<MetadataImage>, NotInTime> {
        let mut published = self.changes();
        let reached = async {
            loop {
                published.borrow_and_update();
                let image = self.image();
                if wanted(&image) {
                    return Ok(image);
                }
                // The sender lives as long as this cache.
                if published.changed().await.is_err() {
                    return Err(NotInTime);
                }
            }
        };
        tokio::time::timeout(wait, reached).await.unwrap_or(Err(NotInTime))
    }
}

#[cfg(test)]
mod tests {
    use ottla_types::Offset;

    use super::*;

    fn image(offset: i64) -> Arc<MetadataImage> {
        Arc::new(MetadataImage { offset: Offset(offset), ..MetadataImage::empty() })
    }

    #[tokio::test]
    async fn a_change_ends_the_wait() {
        let cache = MetadataCache::default();
        let wait = cache.wait_for(Duration::from_secs(1), |image| image.offset == Offset(2));
        let change = async {
            cache.publish(image(1));
            tokio::task::yield_now().await;
            cache.publish(image(2));
        };
        let (seen, ()) = tokio::join!(wait, change);
        assert_eq!(seen.unwrap().offset, Offset(2));
    }

    #[tokio::test]
    async fn a_wait_ends_without_a_change() {
        let cache = MetadataCache::default();
        assert_eq!(cache.wait_for(Duration::ZERO, |_| false).await.err(), Some(NotInTime));
    }
}
