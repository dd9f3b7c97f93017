use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 66, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<ByteString>,
    pub producer_id_filters: Vec<i64>,
    #[field(versions = "1+", default = -1)]
    pub duration_filter: i64,
    #[field(versions = "2+", default = null)]
    pub transactional_id_pattern: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for ListTransactionsRequest {
    type Response = ListTransactionsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> ListTransactionsResponse {
        ListTransactionsResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 66, versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    pub unknown_state_filters: Vec<ByteString>,
    pub transaction_states: Vec<TransactionState>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct TransactionState {
    pub transactional_id: ByteString,
    pub producer_id: i64,
    pub transaction_state: ByteString,
    pub unknown_tagged_fields: TaggedFields,
}
