//! Access control entries, credentials and tokens.

use crate::{ByteString, Bytes, Message, TaggedFields, Uuid};

/// An access control entry was added.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 18, versions = "0", flexible = "0+")]
pub struct AccessControlEntryRecord {
    /// The id.
    pub id: Uuid,
    /// The kind of resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type: i8,
    /// The resource, or the start of its name.
    pub resource_name: ByteString,
    /// 3 literal, 4 prefixed (KIP-290).
    pub pattern_type: i8,
    /// The principal, as `type:name`.
    pub principal: ByteString,
    /// The client's address, or `*`.
    pub host: ByteString,
    /// The operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and so on; 1 any in
    /// filters.
    pub operation: i8,
    /// 2 deny, 3 allow; 1 any in filters.
    pub permission_type: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// An access control entry was removed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 19, versions = "0", flexible = "0+")]
pub struct RemoveAccessControlEntryRecord {
    /// The id.
    pub id: Uuid,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A user's SCRAM credential was set.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 11, versions = "0", flexible = "0+")]
pub struct UserScramCredentialRecord {
    /// The user.
    pub name: ByteString,
    /// The mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// The salt of the hash.
    pub salt: Bytes,
    /// The client key's hash.
    pub stored_key: Bytes,
    /// The server key.
    pub server_key: Bytes,
    /// How often the hash was iterated.
    pub iterations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A user's SCRAM credential was removed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 22, versions = "0", flexible = "0+")]
pub struct RemoveUserScramCredentialRecord {
    /// The user.
    pub name: ByteString,
    /// The mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A delegation token was issued or renewed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 10, versions = "0", flexible = "0+")]
pub struct DelegationTokenRecord {
    /// Whose token it is.
    pub owner: ByteString,
    /// Who asked for the token.
    pub requester: ByteString,
    /// Who may renew the token.
    pub renewers: Vec<ByteString>,
    /// When the token was issued, ms since 1970.
    pub issue_timestamp: i64,
    /// Until when the token can be renewed, ms since 1970.
    pub max_timestamp: i64,
    /// When the token expires, ms since 1970.
    pub expiration_timestamp: i64,
    /// The token's id.
    pub token_id: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A delegation token was removed.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(record = 26, versions = "0", flexible = "0+")]
pub struct RemoveDelegationTokenRecord {
    /// The token's id.
    pub token_id: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
