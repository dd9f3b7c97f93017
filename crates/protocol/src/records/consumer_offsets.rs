use crate::{ByteString, Bytes, Message, TaggedFields, Uuid};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 1, versions = "0", flexible = "none")]
pub struct OffsetCommitKey {
    pub group: ByteString,
    pub topic: ByteString,
    pub partition: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetCommitValue {
    pub offset: i64,
    #[field(versions = "3+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub metadata: ByteString,
    pub commit_timestamp: i64,
    #[field(versions = "1", default = -1, ignorable)]
    pub expire_timestamp: i64,
    #[field(versions = "4+", tag = 0, ignorable)]
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 2, versions = "0", flexible = "none")]
pub struct GroupMetadataKey {
    pub group: ByteString,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct GroupMetadataValue {
    pub protocol_type: ByteString,
    pub generation: i32,
    pub protocol: Option<ByteString>,
    pub leader: Option<ByteString>,
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct MemberMetadata {
    pub member_id: ByteString,
    #[field(versions = "3+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    pub client_id: ByteString,
    pub client_host: ByteString,
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout: i32,
    pub session_timeout: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
