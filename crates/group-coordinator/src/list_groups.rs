//! ListGroups: the groups that this shard coordinates.
//!
//! Versions: 4 filters by state (KIP-518), 5 by type (KIP-848). Filters ignore case; an unknown state or
//! type matches nothing.

use ottla_types::{ByteString, GroupId};

use crate::shard::GroupShard;
use crate::state::GroupState;

/// The type of the groups of this shard, as ListGroups v5 names it.
pub const GROUP_TYPE: &str = "classic";

/// A ListGroups request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListGroups {
    /// Only groups in one of these states; all if empty.
    pub states_filter: Vec<ByteString>,
    /// Only groups of one of these types; all if empty.
    pub types_filter: Vec<ByteString>,
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// Its id.
    pub group_id: GroupId,
    /// `consumer`, …; empty for a group that only commits offsets.
    pub protocol_type: ByteString,
    /// What it is doing.
    pub state: GroupState,
    /// [`GROUP_TYPE`]
    pub group_type: &'static str,
}

impl GroupShard {
    pub(crate) fn list_groups(&self, request: &ListGroups) -> Vec<ListedGroup> {
        if !passes(&request.types_filter, GROUP_TYPE) {
            return Vec::new();
        }
        let listed = self.groups.iter().filter(|group| passes(&request.states_filter, group.state.as_str()));
        let listed = listed.map(|group| ListedGroup {
            group_id: group.id.clone(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            state: group.state,
            group_type: GROUP_TYPE,
        });
        listed.collect()
    }
}

fn passes(filter: &[ByteString], value: &str) -> bool {
    filter.is_empty() || filter.iter().any(|allowed| allowed.trim().eq_ignore_ascii_case(value))
}

#[cfg(test)]
#[path = "list_groups_test.rs"]
mod tests;
