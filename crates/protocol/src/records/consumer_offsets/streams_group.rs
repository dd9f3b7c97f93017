//! Groups of the streams protocol (KIP-1071).

use crate::{ByteString, Message, TaggedFields};

/// The key of a group: type 17.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 17, versions = "0", flexible = "none")]
pub struct StreamsGroupMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 17, versions = "0", flexible = "0+")]
pub struct StreamsGroupMetadataValue {
    /// The group's epoch.
    pub epoch: i32,
    /// A hash over the topics that the group subscribes to; 0 if not known (KIP-1101).
    pub metadata_hash: i64,
    /// The epoch of the topology whose topics were last found complete.
    #[field(tag = 0, default = -1)]
    pub validated_topology_epoch: i32,
    /// The configuration of the last assignment.
    #[field(tag = 1)]
    pub last_assignment_configs: Option<Vec<LastAssignmentConfig>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct LastAssignmentConfig {
    /// The key.
    pub key: ByteString,
    /// The value.
    pub value: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member: type 19.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 19, versions = "0", flexible = "none")]
pub struct StreamsGroupMemberMetadataKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 19, versions = "0", flexible = "0+")]
pub struct StreamsGroupMemberMetadataValue {
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    pub instance_id: Option<ByteString>,
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    pub rack_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// How long members have to join again in a rebalance, ms.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The epoch of the application's topology.
    pub topology_epoch: i32,
    /// The process that runs the member; its members share state directories.
    pub process_id: ByteString,
    /// Where the application answers interactive queries; null if it does not.
    #[field(default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// What a rack-aware assignor goes by (KIP-708).
    pub client_tags: Vec<KeyValue>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Endpoint {
    /// Where it is reached: a name or address.
    pub host: ByteString,
    /// Where it is reached: the TCP port.
    pub port: u16,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct KeyValue {
    /// The key.
    pub key: ByteString,
    /// The value.
    pub value: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a target assignment: type 20.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 20, versions = "0", flexible = "none")]
pub struct StreamsGroupTargetAssignmentMetadataKey {
    /// The group.
    pub group_id: ByteString,
}

/// A target assignment as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 20, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMetadataValue {
    /// The epoch of the group that the target assignment was computed for.
    pub assignment_epoch: i32,
    /// When the assignment was computed, ms since 1970; 0 if not known.
    #[field(tag = 0, ignorable)]
    pub assignment_timestamp: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of a member's part in the target assignment: type 21.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 21, versions = "0", flexible = "none")]
pub struct StreamsGroupTargetAssignmentMemberKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// The tasks that a member shall have in the end.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 21, versions = "0", flexible = "0+")]
pub struct StreamsGroupTargetAssignmentMemberValue {
    /// The tasks that the member processes.
    pub active_tasks: Vec<TaskIds>,
    /// The tasks whose state the member keeps as a replica.
    pub standby_tasks: Vec<TaskIds>,
    /// The tasks whose state the member builds up before it takes them over.
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TaskIds {
    /// The part of the topology.
    pub subtopology_id: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of what a member has: type 22.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 22, versions = "0", flexible = "none")]
pub struct StreamsGroupCurrentMemberAssignmentKey {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
}

/// The tasks that a member has now.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 22, versions = "0", flexible = "0+")]
pub struct StreamsGroupCurrentMemberAssignmentValue {
    /// The member's epoch (KIP-848); −1 for an admin client.
    pub member_epoch: i32,
    /// The epoch before: a member that did not hear of the new one may still use it.
    pub previous_member_epoch: i32,
    /// 0 stable, 1 still giving up tasks, 2 waiting for tasks that others have, 127 not known.
    pub state: i8,
    /// The tasks that the member processes.
    pub active_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// The tasks whose state the member keeps as a replica.
    pub standby_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// The tasks whose state the member builds up before it takes them over.
    pub warmup_tasks: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// Tasks that the member has yet to give up processing.
    pub active_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// Replicas that the member has yet to give up.
    pub standby_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// Tasks being built up that the member has yet to give up.
    pub warmup_tasks_pending_revocation: Vec<StreamsGroupCurrentMemberAssignmentTaskIds>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Tasks of one subtopology.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct StreamsGroupCurrentMemberAssignmentTaskIds {
    /// The part of the topology.
    pub subtopology_id: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// The member's epoch when it got each partition, so that commits of an earlier owner are refused
    /// (KIP-1251); null if not known.
    #[field(tag = 0)]
    pub assignment_epochs: Option<Vec<i32>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The key of an application's topology: type 23.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 23, versions = "0", flexible = "none")]
pub struct StreamsGroupTopologyKey {
    /// The group.
    pub group_id: ByteString,
}

/// An application's topology.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyValue {
    /// The topology's epoch.
    pub epoch: i32,
    /// The parts of the topology.
    pub subtopologies: Vec<Subtopology>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of the topology.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Subtopology {
    /// The part of the topology.
    pub subtopology_id: ByteString,
    /// The topics that it reads.
    pub source_topics: Vec<ByteString>,
    /// The patterns of topics that it reads.
    pub source_topic_regex: Vec<ByteString>,
    /// The changelogs of its state stores, which the application creates.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics that it writes to.
    pub repartition_sink_topics: Vec<ByteString>,
    /// The repartition topics that it reads, which the application creates.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// Which of the topics need the same number of partitions.
    pub copartition_groups: Vec<CopartitionGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic that the application creates.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicInfo {
    /// The name.
    pub name: ByteString,
    /// The partitions.
    pub partitions: i32,
    /// How many replicas each partition has.
    pub replication_factor: i16,
    /// The topic's configuration.
    pub topic_configs: Vec<TopicConfig>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Topics that need the same number of partitions.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CopartitionGroup {
    /// Places in the subtopology's `source_topics`.
    pub source_topics: Vec<i16>,
    /// Places in the subtopology's `source_topic_regex`.
    pub source_topic_regex: Vec<i16>,
    /// Places in the subtopology's `repartition_source_topics`.
    pub repartition_source_topics: Vec<i16>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One entry of a topic's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicConfig {
    /// The key.
    pub key: ByteString,
    /// The value.
    pub value: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
