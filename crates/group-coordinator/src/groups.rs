//! All groups of a shard: what the log says of each, and the live ones.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use ottla_types::{GroupId, TimestampMs};

use crate::group::ClassicGroup;
use crate::stored::StoredGroup;

/// The groups of a shard. A group exists if and only if it is stored; between the decision that creates one
/// and the replay of its record it is live only.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    stored: BTreeMap<GroupId, StoredGroup>,
    live: HashMap<GroupId, ClassicGroup>,
}

impl Groups {
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.stored.contains_key(id)
    }

    /// The group as it is now.
    pub(crate) fn get(&self, id: &str) -> Option<Cow<'_, ClassicGroup>> {
        let (id, stored) = self.stored.get_key_value(id)?;
        Some(self.view(id, stored))
    }

    /// The group, to change its soft state.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut ClassicGroup> {
        let (id, stored) = self.stored.get_key_value(id)?;
        Some(self.live.entry(id.clone()).or_insert_with(|| ClassicGroup::from_stored(id.clone(), stored)))
    }

    /// A new group, whose record must be among the effects.
    pub(crate) fn create(&mut self, id: &GroupId, now_ms: TimestampMs) -> &mut ClassicGroup {
        self.live.entry(id.clone()).or_insert_with(|| ClassicGroup::new(id.clone(), Some(now_ms)))
    }

    /// Takes back [`Groups::create`].
    pub(crate) fn forget(&mut self, id: &str) -> Option<ClassicGroup> {
        self.live.remove(id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Cow<'_, ClassicGroup>> {
        self.stored.iter().map(|(id, stored)| self.view(id, stored))
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &GroupId> {
        self.stored.keys()
    }

    /// Groups that the log has members of.
    pub(crate) fn ids_with_members(&self) -> Vec<GroupId> {
        let occupied = self.stored.iter().filter(|(_, stored)| !stored.members.is_empty());
        occupied.map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn live_mut(&mut self) -> impl Iterator<Item = &mut ClassicGroup> {
        self.live.values_mut()
    }

    /// Replays a GroupMetadata record. A tombstone ends what is live of the group too: only an empty group
    /// gets one.
    pub(crate) fn replay(&mut self, id: GroupId, stored: Option<StoredGroup>) {
        match stored {
            Some(stored) => {
                self.stored.insert(id, stored);
            }
            None => {
                self.live.remove(&id);
                self.stored.remove(&id);
            }
        }
    }

    /// Replays an offset commit: its group exists, if only for its offsets.
    pub(crate) fn replay_commit(&mut self, id: &GroupId) {
        if !self.stored.contains_key(id) {
            self.stored.insert(id.clone(), StoredGroup::default());
        }
    }

    /// Durable state, for comparison.
    #[cfg(test)]
    pub(crate) fn stored(&self) -> &BTreeMap<GroupId, StoredGroup> {
        &self.stored
    }

    fn view<'a>(&'a self, id: &GroupId, stored: &StoredGroup) -> Cow<'a, ClassicGroup> {
        match self.live.get(id) {
            Some(group) => Cow::Borrowed(group),
            None => Cow::Owned(ClassicGroup::from_stored(id.clone(), stored)),
        }
    }
}
