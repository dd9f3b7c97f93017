//! Describes groups of the streams protocol (KIP-1071).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// Which groups to describe.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 89, versions = "0-1", flexible = "0+")]
pub struct StreamsGroupDescribeRequest {
    /// The groups.
    pub group_ids: Vec<ByteString>,
    /// Whether to tell what the asker may do with each group (KIP-430).
    pub include_authorized_operations: bool,
    /// Whether to describe the topology in full (KIP-1331).
    #[field(versions = "1+")]
    pub include_topology_description: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for StreamsGroupDescribeRequest {
    type Response = StreamsGroupDescribeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> StreamsGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|group_id| DescribedGroup {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        StreamsGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }
}

/// The groups.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 89, versions = "0-1", flexible = "0+")]
pub struct StreamsGroupDescribeResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The groups.
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroup {
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The group.
    pub group_id: ByteString,
    /// The group's state: `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead` and so on;
    /// empty on errors.
    pub group_state: ByteString,
    /// The group's epoch: grows when its members or what they subscribe to change.
    pub group_epoch: i32,
    /// The epoch of the group that the target assignment was computed for.
    pub assignment_epoch: i32,
    /// The application's topology.
    #[field(default = null)]
    pub topology: Option<Topology>,
    /// The members.
    pub members: Vec<Member>,
    /// What the asker may do with the group, one bit per operation (KIP-430); `i32::MIN` if not asked.
    #[field(default = i32::MIN)]
    pub authorized_operations: i32,
    /// The description of the whole topology.
    #[field(versions = "1+", default = null)]
    pub topology_description: Option<TopologyDescription>,
    /// 0 was not asked for, 1 is not stored, 2 could not be read, 3 is there.
    #[field(versions = "1+")]
    pub topology_description_status: i8,
    /// The assignor that the group uses.
    #[field(versions = "1+", default = null, ignorable)]
    pub assignor_name: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The topology as the coordinator has resolved it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Topology {
    /// The topology's epoch.
    pub epoch: i32,
    /// The parts of the topology.
    #[field(default = null)]
    pub subtopologies: Option<Vec<Subtopology>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Member {
    /// The member's id.
    pub member_id: ByteString,
    /// The member's epoch.
    pub member_epoch: i32,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member.
    #[field(default = null)]
    pub instance_id: Option<ByteString>,
    /// Where the asker stands (`client.rack`, KIP-392); empty if it does not say.
    #[field(default = null)]
    pub rack_id: Option<ByteString>,
    /// What the client calls itself (`client.id`).
    pub client_id: ByteString,
    /// Where the client connects from.
    pub client_host: ByteString,
    /// The epoch of the application's topology.
    pub topology_epoch: i32,
    /// The process that runs the member; its members share state directories.
    pub process_id: ByteString,
    /// Where the application answers interactive queries; null if it does not.
    #[field(default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// What a rack-aware assignor goes by (KIP-708).
    pub client_tags: Vec<KeyValue>,
    /// How far the member has read the changelogs of its tasks.
    pub task_offsets: Vec<TaskOffset>,
    /// Where the changelogs of its tasks end.
    pub task_end_offsets: Vec<TaskOffset>,
    /// What the member shall work on; opaque to the coordinator.
    pub assignment: Assignment,
    /// What the member shall work on in the end.
    pub target_assignment: Assignment,
    /// Whether the member still speaks the classic protocol.
    pub is_classic: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What the application told of its topology (KIP-1331).
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopologyDescription {
    /// The parts of the topology.
    pub subtopologies: Vec<TopologyDescriptionSubtopology>,
    /// The state stores that each member has in full.
    pub global_stores: Vec<TopologyDescriptionGlobalStore>,
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
    /// The repartition topics that it writes to.
    pub repartition_sink_topics: Vec<ByteString>,
    /// The changelogs of its state stores, which the application creates.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// The repartition topics that it reads, which the application creates.
    pub repartition_source_topics: Vec<TopicInfo>,
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

/// An offset in the changelog of one task.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TaskOffset {
    /// The part of the topology.
    pub subtopology_id: ByteString,
    /// The partition's number in its topic.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// The tasks of a member.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Assignment {
    /// The tasks that the member processes.
    pub active_tasks: Vec<TaskIds>,
    /// The tasks whose state the member keeps as a replica.
    pub standby_tasks: Vec<TaskIds>,
    /// The tasks whose state the member builds up before it takes them over.
    pub warmup_tasks: Vec<TaskIds>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One part of the topology and its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopologyDescriptionSubtopology {
    /// The part of the topology.
    pub subtopology_id: ByteString,
    /// The nodes.
    pub nodes: Vec<TopologyDescriptionNode>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A state store that each member has in full.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopologyDescriptionGlobalStore {
    /// Where the value comes from, as in the result's source.
    pub source: TopologyDescriptionNode,
    /// The node that fills the store.
    pub processor: TopologyDescriptionNode,
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
    pub topic_configs: Vec<KeyValue>,
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

/// One node of the processing graph.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopologyDescriptionNode {
    /// The node's name.
    pub name: ByteString,
    /// 1 source, 2 processor, 3 sink.
    pub node_type: i8,
    /// The topics that a source reads; empty for other nodes, or if they are found by a pattern.
    pub source_topics: Vec<ByteString>,
    /// The topic that a sink writes to; null for other nodes, or if it is chosen record by record.
    #[field(default = null)]
    pub sink_topic: Option<ByteString>,
    /// The state stores that a processor uses.
    pub stores: Vec<ByteString>,
    /// The nodes that follow.
    pub successors: Vec<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
