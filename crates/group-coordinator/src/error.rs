//! Why a group request is refused.

use ottla_coordinator::Failure;
use ottla_types::{ByteString, GroupId, TopicName};

use crate::state::GroupState;

/// Why a group request, or one item of it, is refused. Each variant is one of Kafka's error codes; the
/// broker maps them exhaustively.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// INVALID_GROUP_ID
    #[error("the group id is empty; give the group a name")]
    InvalidGroupId,
    /// INVALID_SESSION_TIMEOUT
    #[error(
        "a session timeout of {session_timeout_ms} ms is outside {min_ms}..={max_ms} \
         (group.min.session.timeout.ms, group.max.session.timeout.ms)"
    )]
    InvalidSessionTimeout {
        /// What the member asked for.
        session_timeout_ms: i32,
        /// `group.min.session.timeout.ms`
        min_ms: i32,
        /// `group.max.session.timeout.ms`
        max_ms: i32,
    },
    /// MEMBER_ID_REQUIRED: join again under this id (KIP-394).
    #[error("join again as member {member_id:?}")]
    MemberIdRequired {
        /// The id that the coordinator made.
        member_id: ByteString,
    },
    /// UNKNOWN_MEMBER_ID
    #[error("the group has no member {member_id:?}; join it again")]
    UnknownMemberId {
        /// What was asked for; empty when the request named none.
        member_id: ByteString,
    },
    /// FENCED_INSTANCE_ID
    #[error("another process joined with group.instance.id {instance_id:?}; each process needs its own")]
    FencedInstanceId {
        /// The shared `group.instance.id`.
        instance_id: ByteString,
    },
    /// ILLEGAL_GENERATION
    #[error("generation {found} is not the group's, which is {expected}; join again")]
    IllegalGeneration {
        /// The group's.
        expected: i32,
        /// The request's.
        found: i32,
    },
    /// REBALANCE_IN_PROGRESS
    #[error("the group is rebalancing; join again")]
    RebalanceInProgress,
    /// INCONSISTENT_GROUP_PROTOCOL
    #[error("the protocol type or protocols do not match those of the group's other members")]
    InconsistentGroupProtocol,
    /// GROUP_MAX_SIZE_REACHED
    #[error("the group has its {max_size} members already (group.max.size)")]
    GroupMaxSizeReached {
        /// `group.max.size`
        max_size: usize,
    },
    /// GROUP_ID_NOT_FOUND. OffsetCommit below version 9 says ILLEGAL_GENERATION instead; DescribeGroups
    /// below version 6 describes a group in state `Dead`.
    #[error("Group {group_id} not found.")]
    GroupIdNotFound {
        /// What was asked for.
        group_id: GroupId,
    },
    /// NON_EMPTY_GROUP
    #[error("the group is {state} and not Empty; stop its members first")]
    NonEmptyGroup {
        /// Its state.
        state: GroupState,
    },
    /// GROUP_SUBSCRIBED_TO_TOPIC
    #[error("a member of the group subscribes to {topic}; unsubscribe it first")]
    GroupSubscribedToTopic {
        /// The topic.
        topic: TopicName,
    },
    /// OFFSET_METADATA_TOO_LARGE
    #[error("offset metadata of {len} is larger than {max} (offset.metadata.max.bytes)")]
    OffsetMetadataTooLarge {
        /// UTF-16 units.
        len: usize,
        /// `offset.metadata.max.bytes`
        max: usize,
    },
    /// UNSTABLE_OFFSET_COMMIT
    #[error("a transaction with an offset for this partition is open; retry when it has ended")]
    UnstableOffsetCommit,
    /// NOT_COORDINATOR
    #[error("this broker does not coordinate the group; look the coordinator up again")]
    NotCoordinator,
    /// COORDINATOR_NOT_AVAILABLE. For OffsetFetch, which old consumers do not retry on it, NOT_COORDINATOR.
    #[error("the coordinator cannot replicate its log now; retry")]
    CoordinatorNotAvailable,
    /// UNKNOWN_SERVER_ERROR: the group's metadata does not fit into one batch.
    #[error(
        "the group's record of {len} bytes does not fit into __consumer_offsets; raise its max.message.bytes"
    )]
    RecordTooLarge {
        /// The batch, bytes.
        len: usize,
    },
    /// UNKNOWN_SERVER_ERROR: a value that the record's format cannot carry.
    #[error("the group's record cannot be written: {reason}")]
    Unwritable {
        /// Why.
        reason: String,
    },
}

impl From<&Failure> for GroupError {
    /// As Kafka's `appendGroupMetadataErrorToResponseError` does.
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::NotLeader | Failure::Storage | Failure::Unloaded => Self::NotCoordinator,
            Failure::NotEnoughReplicas | Failure::CommitTimedOut => Self::CoordinatorNotAvailable,
            Failure::RecordTooLarge { len } => Self::RecordTooLarge { len: *len },
        }
    }
}
