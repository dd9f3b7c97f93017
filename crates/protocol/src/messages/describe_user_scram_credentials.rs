//! Tells which SCRAM credentials users have (KIP-554).

use crate::{ByteString, ErrorCode, Message, Request, TaggedFields, Version};

/// The users to describe.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 50, versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsRequest {
    /// The users; null or empty for all.
    pub users: Option<Vec<UserName>>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for DescribeUserScramCredentialsRequest {
    type Response = DescribeUserScramCredentialsResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> DescribeUserScramCredentialsResponse {
        DescribeUserScramCredentialsResponse { error_code: error, error_message: None, ..Default::default() }
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct UserName {
    /// The user.
    pub name: ByteString,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// Their credentials, without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 50, versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsResponse {
    /// How long a quota delays the client, ms; the client waits itself (KIP-219).
    pub throttle_time_ms: i32,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The outcome of each.
    pub results: Vec<DescribeUserScramCredentialsResult>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One user's credentials.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct DescribeUserScramCredentialsResult {
    /// The user.
    pub user: ByteString,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// What a person should know about the error; null if the code says it all.
    pub error_message: Option<ByteString>,
    /// The credentials, without their secrets.
    pub credential_infos: Vec<CredentialInfo>,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
pub struct CredentialInfo {
    /// The mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// How often the hash was iterated.
    pub iterations: i32,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
