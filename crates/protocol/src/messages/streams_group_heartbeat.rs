//! Joins a group of the streams protocol, stays in it and leaves it (KIP-1071).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The member lives, and what is new about it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 88, versions = "0-1", flexible = "0+")]
pub struct StreamsGroupHeartbeatRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, which it makes itself.
    pub member_id: ByteString,
    /// The member's epoch; 0 joins the group, −1 leaves it, −2 leaves it as a static member that comes back.
    pub member_epoch: i32,
    /// The epoch of the endpoints that the member knows.
    pub endpoint_information_epoch: i32,
    /// The static member's own id (`group.instance.id`, KIP-345); null for a dynamic member, or if it has not
    /// changed.
    #[field(default = null)]
    pub instance_id: Option<ByteString>,
    /// Where the member stands; null if it does not say, or if it has not changed.
    #[field(default = null)]
    pub rack_id: Option<ByteString>,
    /// How long the member may take to give up tasks, ms; −1 if it has not changed.
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    /// The application's topology, sent by a member that joins; null otherwise.
    #[field(default = null)]
    pub topology: Option<Topology>,
    /// The tasks that the member processes; null if they have not changed.
    #[field(default = null)]
    pub active_tasks: Option<Vec<TaskIds>>,
    /// The tasks whose state the member keeps as a replica; null if they have not changed.
    #[field(default = null)]
    pub standby_tasks: Option<Vec<TaskIds>>,
    /// The tasks whose state the member builds up; null if they have not changed.
    #[field(default = null)]
    pub warmup_tasks: Option<Vec<TaskIds>>,
    /// The process that runs the member; null if it has not changed.
    #[field(default = null)]
    pub process_id: Option<ByteString>,
    /// Where the application answers interactive queries; null if it does not, or if it has not changed.
    #[field(default = null)]
    pub user_endpoint: Option<Endpoint>,
    /// What a rack-aware assignor goes by (KIP-708); null if it has not changed.
    #[field(default = null)]
    pub client_tags: Option<Vec<KeyValue>>,
    /// How far the member has read the changelogs of its tasks; null if there is no news.
    #[field(default = null)]
    pub task_offsets: Option<Vec<TaskOffset>>,
    /// Where the changelogs of its tasks end; null if there is no news.
    #[field(default = null)]
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    /// Whether every member of the group shall stop.
    pub shutdown_application: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for StreamsGroupHeartbeatRequest {
    type Response = StreamsGroupHeartbeatResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> StreamsGroupHeartbeatResponse {
        StreamsGroupHeartbeatResponse { error_code: error, ..Default::default() }
    }
}

/// The application's topology.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Topology {
    /// The topology's epoch.
    pub epoch: i32,
    /// The parts of the topology.
    pub subtopologies: Vec<Subtopology>,
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
    pub topic_configs: Vec<KeyValue>,
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

/// The member's epoch and what is new about its tasks.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 88, versions = "0-1", flexible = "0+")]
pub struct StreamsGroupHeartbeatResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// The member's id.
    pub member_id: ByteString,
    /// The member's epoch.
    pub member_epoch: i32,
    /// How long the member waits before its next heartbeat, ms.
    pub heartbeat_interval_ms: i32,
    /// The most records that a changelog may lag behind for its task to count as caught up.
    #[field(versions = "0")]
    pub acceptable_recovery_lag_legacy: i32,
    /// How often the member reports the offsets of its tasks, ms.
    pub task_offset_interval_ms: i32,
    /// The most records that a changelog may lag behind for its task to count as caught up; −1 if the broker
    /// does not say.
    #[field(versions = "1+", default = -1, ignorable)]
    pub acceptable_recovery_lag: i64,
    /// What the member should know about its group; null for nothing.
    pub status: Option<Vec<Status>>,
    /// The tasks that the member shall process; null if they have not changed.
    #[field(default = null)]
    pub active_tasks: Option<Vec<TaskIds>>,
    /// The tasks whose state the member shall keep as a replica; null if they have not changed.
    #[field(default = null)]
    pub standby_tasks: Option<Vec<TaskIds>>,
    /// The tasks whose state the member shall build up; null if they have not changed.
    #[field(default = null)]
    pub warmup_tasks: Option<Vec<TaskIds>>,
    /// Whether the member shall send the description of its topology.
    #[field(versions = "1+")]
    pub topology_description_required: bool,
    /// The epoch of the endpoints in this response.
    pub endpoint_information_epoch: i32,
    /// Which endpoint has which partitions; null if nothing has changed.
    #[field(default = null)]
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One thing that the member should know about its group.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Status {
    /// 0 stale topology, 1 missing source topics, 2 topics not copartitioned, 3 missing internal topics, 4
    /// shutdown requested, 5 assignment delayed, 6 missing client tags.
    pub status_code: i8,
    /// The same in words.
    pub status_detail: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What one endpoint has.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EndpointToPartitions {
    /// Where the member answers interactive queries.
    pub user_endpoint: Endpoint,
    /// The partitions of its active tasks.
    pub active_partitions: Vec<TopicPartition>,
    /// The partitions of its standby and warm-up tasks.
    pub standby_partitions: Vec<TopicPartition>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: ByteString,
    /// The partitions.
    pub partitions: Vec<i32>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
