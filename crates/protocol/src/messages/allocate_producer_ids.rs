use crate::{ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 67, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AllocateProducerIdsRequest {
    type Response = AllocateProducerIdsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AllocateProducerIdsResponse {
        AllocateProducerIdsResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 67, versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub producer_id_start: i64,
    pub producer_id_len: i32,
    pub unknown_tagged_fields: TaggedFields,
}
