//! Who asks, and whether they may: principals, operations, resources and the hook that decides.

use std::fmt;

use ottla_protocol::{ByteString, ErrorCode};

use crate::RequestContext;

/// Who a connection belongs to, as `Type:name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    /// `User` for everything that this server authenticates.
    pub kind: ByteString,
    /// The name, `ANONYMOUS` without authentication.
    pub name: ByteString,
}

impl Principal {
    /// Whoever connects to a listener without authentication.
    pub const ANONYMOUS: Self =
        Self { kind: ByteString::from_static("User"), name: ByteString::from_static("ANONYMOUS") };
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// What somebody wants to do; the numbers are Kafka's (`AclOperation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "Kafka's names")]
pub enum AclOperation {
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
    CreateTokens = 13,
    DescribeTokens = 14,
    TwoPhaseCommit = 15,
}

/// What something is done to; the numbers are Kafka's (`ResourceType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "Kafka's names")]
pub enum ResourceType {
    Topic = 2,
    Group = 3,
    Cluster = 4,
    TransactionalId = 5,
    DelegationToken = 6,
    User = 7,
}

impl ResourceType {
    /// The one resource of type cluster.
    pub const CLUSTER_NAME: &'static str = "kafka-cluster";

    /// What a client is told that may not.
    pub fn denied(self) -> ErrorCode {
        match self {
            Self::Topic => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
            Self::Group => ErrorCode::GROUP_AUTHORIZATION_FAILED,
            Self::Cluster | Self::User => ErrorCode::CLUSTER_AUTHORIZATION_FAILED,
            Self::TransactionalId => ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            Self::DelegationToken => ErrorCode::DELEGATION_TOKEN_AUTHORIZATION_FAILED,
        }
    }

    /// Everything that can be done to a resource of this type (Kafka: `AclEntry.supportedOperations`).
    pub fn operations(self) -> &'static [AclOperation] {
        use AclOperation as Op;
        match self {
            Self::Topic => &[
                Op::Read,
                Op::Write,
                Op::Create,
                Op::Describe,
                Op::Delete,
                Op::Alter,
                Op::DescribeConfigs,
                Op::AlterConfigs,
            ],
            Self::Group => &[Op::Read, Op::Describe, Op::Delete, Op::DescribeConfigs, Op::AlterConfigs],
            Self::Cluster => &[
                Op::Create,
                Op::ClusterAction,
                Op::DescribeConfigs,
                Op::AlterConfigs,
                Op::IdempotentWrite,
                Op::Alter,
                Op::Describe,
            ],
            Self::TransactionalId => &[Op::Describe, Op::Write, Op::TwoPhaseCommit],
            Self::DelegationToken => &[Op::Describe],
            Self::User => &[Op::CreateTokens, Op::DescribeTokens],
        }
    }
}

/// Decides who may do what.
pub trait Authorizer: Send + Sync {
    /// Whether the request's principal may do `operation` to `name`.
    fn authorize(
        &self,
        cx: &RequestContext,
        operation: AclOperation,
        resource: ResourceType,
        name: &str,
    ) -> bool;
}

/// Kafka without `authorizer.class.name`: everybody may do everything.
#[derive(Clone, Copy, Debug)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &RequestContext, _: AclOperation, _: ResourceType, _: &str) -> bool {
        true
    }
}
