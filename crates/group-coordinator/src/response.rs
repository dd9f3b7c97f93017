//! What a group shard is asked and what it answers.

use ottla_types::GroupId;

use crate::delete_groups::DeleteGroups;
use crate::describe_groups::{DescribeGroups, DescribedGroup};
use crate::error::GroupError;
use crate::heartbeat::Heartbeat;
use crate::join_group::{JoinGroup, Joined};
use crate::leave_group::{LeaveGroup, LeftMember};
use crate::list_groups::{ListGroups, ListedGroup};
use crate::offset_commit::{CommittedTopic, OffsetCommit};
use crate::offset_delete::{DeletedTopicOffsets, OffsetDelete};
use crate::offset_fetch::{FetchedTopic, OffsetFetch};
use crate::topics_deleted::DeletedTopic;

/// A request to the shard that owns its groups. The host has authorized it, resolved topic ids, and split
/// requests for many groups by partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRequest {
    /// JoinGroup
    Join(Box<JoinGroup>),
    /// SyncGroup
    Sync(crate::sync_group::SyncGroup),
    /// Heartbeat
    Heartbeat(Heartbeat),
    /// LeaveGroup
    Leave(LeaveGroup),
    /// OffsetCommit
    CommitOffsets(OffsetCommit),
    /// OffsetFetch, for one group
    FetchOffsets(OffsetFetch),
    /// OffsetDelete
    DeleteOffsets(OffsetDelete),
    /// DescribeGroups
    Describe(DescribeGroups),
    /// ListGroups
    List(ListGroups),
    /// DeleteGroups
    Delete(DeleteGroups),
    /// The metadata says that these topics are gone.
    TopicsDeleted(Vec<DeletedTopic>),
}

/// The answer to the request of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupResponse {
    /// A new generation has begun.
    Join(Joined),
    /// The member's assignment.
    Sync(crate::sync_group::Synced),
    /// The session goes on.
    Heartbeat,
    /// Each member's fate.
    Leave(Vec<LeftMember>),
    /// Each partition's fate.
    CommitOffsets(Vec<CommittedTopic>),
    /// The offsets.
    FetchOffsets(Vec<FetchedTopic>),
    /// Each partition's fate.
    DeleteOffsets(Vec<DeletedTopicOffsets>),
    /// Each group, in the order asked for.
    Describe(Vec<(GroupId, Result<DescribedGroup, GroupError>)>),
    /// The groups that pass the filters, by name.
    List(Vec<ListedGroup>),
    /// Each group's fate, in the order asked for.
    Delete(Vec<(GroupId, Result<(), GroupError>)>),
    /// Noted; the offsets go in the background.
    TopicsDeleted,
}
