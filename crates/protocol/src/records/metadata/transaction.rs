use crate::{ByteString, Message, TaggedFields};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct BeginTransactionRecord {
    #[field(tag = 0, default = null)]
    pub name: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 24, versions = "0", flexible = "0+")]
pub struct EndTransactionRecord {
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 25, versions = "0", flexible = "0+")]
pub struct AbortTransactionRecord {
    #[field(tag = 0, default = null)]
    pub reason: Option<ByteString>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 20, versions = "0", flexible = "0+")]
pub struct NoOpRecord {
    pub unknown_tagged_fields: TaggedFields,
}
