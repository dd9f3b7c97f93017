//! Sets and deletes SCRAM credentials (KIP-554).

use std::collections::BTreeSet;

use crate::{ByteString, Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// Which credentials to change.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 51, versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsRequest {
    /// The credentials to delete.
    pub deletions: Vec<ScramCredentialDeletion>,
    /// The credentials to set.
    pub upsertions: Vec<ScramCredentialUpsertion>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for AlterUserScramCredentialsRequest {
    type Response = AlterUserScramCredentialsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> AlterUserScramCredentialsResponse {
        let deleted = self.deletions.iter().map(|deletion| &deletion.name);
        let upserted = self.upsertions.iter().map(|upsertion| &upsertion.name);
        let users: BTreeSet<_> = deleted.chain(upserted).collect();
        let results = users.into_iter().map(|user| AlterUserScramCredentialsResult {
            user: user.clone(),
            error_code: error,
            error_message: None,
            ..Default::default()
        });
        AlterUserScramCredentialsResponse { results: results.collect(), ..Default::default() }
    }
}

/// A credential to delete.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ScramCredentialDeletion {
    /// The name.
    pub name: ByteString,
    /// The mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential to set.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct ScramCredentialUpsertion {
    /// The name.
    pub name: ByteString,
    /// The mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// How often the hash was iterated.
    pub iterations: i32,
    /// The salt of the hash.
    pub salt: Bytes,
    /// The password, salted and hashed `iterations` times (RFC 5802); never the password itself.
    pub salted_password: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 51, versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// The outcome of each.
    pub results: Vec<AlterUserScramCredentialsResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one user's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct AlterUserScramCredentialsResult {
    /// The user.
    pub user: ByteString,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
