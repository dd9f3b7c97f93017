//! What a broker acts on of the metadata that it pulls.
//!
//! ```text
//!  registered with epoch E          pulled: … E-2, E-1 │ E … first acted on: all of it, at once
//! ```
//! Metadata from before its registration tells what the broker's former process was. Who acted on that would lead once more in
//! an epoch in which that process led: with a log that may have lost what others have copied of it.

use ottla_types::{BrokerEpoch, Offset};

use crate::delta::MetadataDelta;
use crate::image::MetadataImage;

/// The metadata as a broker follows it.
#[derive(Debug, Default)]
pub struct MetadataFollower {
    pulled: MetadataImage,
    acted_on: Offset,
}

/// A change to act on.
#[derive(Clone, Debug)]
pub struct MetadataChange {
    /// What was acted on before.
    pub before: MetadataImage,
    /// What is to be acted on.
    pub after: MetadataImage,
    /// What lies between.
    pub delta: MetadataDelta,
}

impl MetadataFollower {
    /// Nothing was pulled yet.
    pub fn new() -> Self {
        Self { pulled: MetadataImage::empty(), acted_on: Offset::NONE }
    }

    /// The newest that was pulled.
    pub const fn pulled(&self) -> &MetadataImage {
        &self.pulled
    }

    /// `after` was pulled, by a change of `delta`, by a process that is registered with `epoch`. What is to be done about it: nothing
    /// while it does not tell of the registration.
    pub fn take(
        &mut self,
        after: MetadataImage,
        delta: MetadataDelta,
        epoch: BrokerEpoch,
    ) -> Option<MetadataChange> {
        let before = std::mem::replace(&mut self.pulled, after.clone());
        let is_first = self.acted_on == Offset::NONE;
        if is_first && after.offset.0 < epoch.0 {
            return None;
        }
        self.acted_on = after.offset;
        if !is_first {
            return Some(MetadataChange { before, after, delta });
        }
        let before = MetadataImage::empty();
        let delta = MetadataDelta::between(&before, &after);
        Some(MetadataChange { before, after, delta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Cluster;

    #[test]
    fn nothing_is_done_about_what_is_older_than_the_registration() {
        let mut cluster = Cluster::new(2);
        let topic = cluster.topic("t", &[1, 2]);
        let old = cluster.image.clone();
        let epoch = cluster.register(1);
        let mut follower = MetadataFollower::new();
        assert!(follower.take(old.clone(), MetadataDelta::default(), epoch).is_none());
        assert_eq!(follower.pulled(), &old);
        let change = follower.take(cluster.image.clone(), MetadataDelta::default(), epoch).unwrap();
        assert!(change.before.is_empty(), "all that was held back is new");
        assert!(change.delta.topics.created.contains(&topic));
        // From then on each change is acted on, also while a new registration is under way.
        cluster.fence(2);
        let change =
            follower.take(cluster.image.clone(), MetadataDelta::default(), BrokerEpoch(999)).unwrap();
        assert!(change.after.offset > change.before.offset);
    }
}
