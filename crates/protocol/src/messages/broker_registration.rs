use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Uuid, Version};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 62, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationRequest {
    pub broker_id: i32,
    pub cluster_id: ByteString,
    pub incarnation_id: Uuid,
    pub listeners: Vec<Listener>,
    pub features: Vec<Feature>,
    pub rack: Option<ByteString>,
    #[field(versions = "1+")]
    pub is_migrating_zk_broker: bool,
    #[field(versions = "2+", ignorable)]
    pub log_dirs: Vec<Uuid>,
    #[field(versions = "3+", default = -1, ignorable)]
    pub previous_broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for BrokerRegistrationRequest {
    type Response = BrokerRegistrationResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> BrokerRegistrationResponse {
        BrokerRegistrationResponse { error_code: error, ..Default::default() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Listener {
    pub name: ByteString,
    pub host: ByteString,
    pub port: u16,
    pub security_protocol: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct Feature {
    pub name: ByteString,
    pub min_supported_version: i16,
    pub max_supported_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 62, versions = "0-4", flexible = "0+")]
pub struct BrokerRegistrationResponse {
    pub throttle_time_ms: i32,
    pub error_code: ErrorCode,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}
