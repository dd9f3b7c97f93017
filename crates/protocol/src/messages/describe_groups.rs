use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest {
    pub groups: Vec<ByteString>,
    #[field(versions = "3+")]
    pub include_authorized_operations: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeGroupsRequest {
    type Response = DescribeGroupsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeGroupsResponse {
        let groups = self.groups.iter().map(|group_id| DescribedGroup {
            group_id: group_id.clone(),
            error_code: error,
            ..Default::default()
        });
        DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 15, versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroup {
    pub error_code: ErrorCode,
    #[field(versions = "6+", default = null)]
    pub error_message: Option<ByteString>,
    pub group_id: ByteString,
    pub group_state: ByteString,
    pub protocol_type: ByteString,
    pub protocol_data: ByteString,
    pub members: Vec<DescribedGroupMember>,
    #[field(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribedGroupMember {
    pub member_id: ByteString,
    #[field(versions = "4+", default = null, ignorable)]
    pub group_instance_id: Option<ByteString>,
    pub client_id: ByteString,
    pub client_host: ByteString,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
    pub unknown_tagged_fields: TaggedFields,
}
