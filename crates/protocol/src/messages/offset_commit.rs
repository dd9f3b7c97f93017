use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitRequest {
    pub group_id: ByteString,
    #[field(default = -1)]
    pub generation_id_or_member_epoch: i32,
    pub member_id: ByteString,
    #[field(versions = "7+", default = null)]
    pub group_instance_id: Option<ByteString>,
    #[field(versions = "2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for OffsetCommitRequest {
    type Response = OffsetCommitResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> OffsetCommitResponse {
        let topics = self.topics.iter().map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: (topic.partitions.iter())
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: error,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitRequestTopic {
    #[field(versions = "2-9", ignorable)]
    pub name: ByteString,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[field(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 8, versions = "2-10", flexible = "8+")]
pub struct OffsetCommitResponse {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitResponseTopic {
    #[field(versions = "2-9", ignorable)]
    pub name: ByteString,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitResponsePartition>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: ErrorCode,
    pub unknown_tagged_fields: TaggedFields,
}
