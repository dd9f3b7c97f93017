use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 22, versions = "0-6", flexible = "2+", latest_unstable)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<ByteString>,
    pub transaction_timeout_ms: i32,
    #[field(versions = "3+", default = -1)]
    pub producer_id: i64,
    #[field(versions = "3+", default = -1)]
    pub producer_epoch: i16,
    #[field(versions = "6+")]
    pub enable2_pc: bool,
    #[field(versions = "6+")]
    pub keep_prepared_txn: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for InitProducerIdRequest {
    type Response = InitProducerIdResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> InitProducerIdResponse {
        InitProducerIdResponse {
            error_code: error,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 22, versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(default = -1)]
    pub producer_id: i64,
    pub producer_epoch: i16,
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
    pub unknown_tagged_fields: TaggedFields,
}
