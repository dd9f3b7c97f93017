//! Gives the coordinator the description of a streams application's topology (KIP-1331).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The description.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 93, versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyDescriptionUpdateRequest {
    /// The group.
    pub group_id: ByteString,
    /// The member's id, given by the coordinator; empty for a member that has none yet.
    pub member_id: ByteString,
    /// The epoch of the application's topology.
    pub topology_epoch: i32,
    /// The description of the whole topology.
    pub topology_description: TopologyDescription,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for StreamsGroupTopologyDescriptionUpdateRequest {
    type Response = StreamsGroupTopologyDescriptionUpdateResponse;

    fn error_response(
        &self,
        _version: Version,
        error: ErrorCode,
    ) -> StreamsGroupTopologyDescriptionUpdateResponse {
        StreamsGroupTopologyDescriptionUpdateResponse { error_code: error, ..Default::default() }
    }
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

/// Whether it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 93, versions = "0", flexible = "0+")]
pub struct StreamsGroupTopologyDescriptionUpdateResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    #[field(default = null)]
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
