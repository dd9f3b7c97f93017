use crate::{ByteString, Message, TaggedFields};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConfigRecord {
    pub resource_type: i8,
    pub resource_name: ByteString,
    pub name: ByteString,
    pub value: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 12, versions = "0", flexible = "0+")]
pub struct FeatureLevelRecord {
    pub name: ByteString,
    pub feature_level: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ClientQuotaRecord {
    pub entity: Vec<EntityData>,
    pub key: ByteString,
    pub value: f64,
    pub remove: bool,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct EntityData {
    pub entity_type: ByteString,
    pub entity_name: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ProducerIdsRecord {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub next_producer_id: i64,
    pub unknown_tagged_fields: TaggedFields,
}
