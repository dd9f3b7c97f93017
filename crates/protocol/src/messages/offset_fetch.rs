use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchRequest {
    #[field(versions = "1-7")]
    pub group_id: ByteString,
    #[field(versions = "1-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup>,
    #[field(versions = "7+")]
    pub require_stable: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for OffsetFetchRequest {
    type Response = OffsetFetchResponse;

    fn error_response(&self, version: Version, error: ErrorCode) -> OffsetFetchResponse {
        if version >= 8 {
            let groups = self.groups.iter().map(|group| OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                error_code: error,
                ..Default::default()
            });
            return OffsetFetchResponse { groups: groups.collect(), ..Default::default() };
        }
        if version >= 2 {
            return OffsetFetchResponse { error_code: error, ..Default::default() };
        }
        let topics = self.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
            name: topic.name.clone(),
            partitions: (topic.partition_indexes.iter())
                .map(|partition| OffsetFetchResponsePartition {
                    partition_index: *partition,
                    committed_offset: -1,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetFetchResponse { topics: topics.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestTopic {
    pub name: ByteString,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestGroup {
    pub group_id: ByteString,
    #[field(versions = "9+", default = null, ignorable)]
    pub member_id: Option<ByteString>,
    #[field(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchRequestTopics {
    #[field(versions = "8-9", ignorable)]
    pub name: ByteString,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 9, versions = "1-10", flexible = "6+")]
pub struct OffsetFetchResponse {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "1-7")]
    pub topics: Vec<OffsetFetchResponseTopic>,
    #[field(versions = "2-7", ignorable)]
    pub error_code: ErrorCode,
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseTopic {
    pub name: ByteString,
    pub partitions: Vec<OffsetFetchResponsePartition>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseGroup {
    pub group_id: ByteString,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<ByteString>,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponseTopics {
    #[field(versions = "8-9", ignorable)]
    pub name: ByteString,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[field(default = -1)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<ByteString>,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}
