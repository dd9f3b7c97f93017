//! DescribeGroups: state and members.
//!
//! What members say and are assigned means something only while the group is stable, so their metadata is
//! shown only then.
//!
//! Versions: 4 brings static members. From 6 on a group that does not exist is GROUP_ID_NOT_FOUND; before,
//! it was described as a group in state `Dead`.

use ottla_types::{ByteString, Bytes, GroupId};

use crate::error::GroupError;
use crate::group::ClassicGroup;
use crate::member::{InstanceId, Member, MemberId};
use crate::shard::GroupShard;
use crate::state::GroupState;

/// A DescribeGroups request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeGroups {
    /// The groups.
    pub group_ids: Vec<GroupId>,
}

/// A group as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// What it is doing.
    pub state: GroupState,
    /// `consumer`, …; empty for a group that only commits offsets.
    pub protocol_type: ByteString,
    /// The chosen protocol; empty unless stable.
    pub protocol: ByteString,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member as an administrator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member_id: MemberId,
    /// Set for a static member.
    pub instance_id: Option<InstanceId>,
    /// From its request headers.
    pub client_id: ByteString,
    /// Where it comes from: `/127.0.0.1`.
    pub client_host: ByteString,
    /// Its metadata under the chosen protocol; empty unless the group is stable.
    pub metadata: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

impl GroupShard {
    pub(crate) fn describe_groups(
        &self,
        request: DescribeGroups,
    ) -> Vec<(GroupId, Result<DescribedGroup, GroupError>)> {
        let describe = |group_id: GroupId| match self.groups.get(&group_id) {
            Some(group) => (group_id, Ok(describe(&group))),
            None => (group_id.clone(), Err(GroupError::GroupIdNotFound { group_id })),
        };
        request.group_ids.into_iter().map(describe).collect()
    }
}

fn describe(group: &ClassicGroup) -> DescribedGroup {
    let protocol = group.protocol.clone().filter(|_| group.state == GroupState::Stable).unwrap_or_default();
    let describe_member = |member: &Member| DescribedMember {
        member_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: if group.state == GroupState::Stable { member.metadata(&protocol) } else { Bytes::new() },
        assignment: member.assignment.clone(),
    };
    DescribedGroup {
        state: group.state,
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: group.members.values().map(describe_member).collect(),
        protocol,
    }
}

#[cfg(test)]
#[path = "describe_groups_test.rs"]
mod tests;
