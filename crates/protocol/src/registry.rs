//! Every message that stands alone, as a table: for tests, generators and checks that treat all alike.

use bytes::Bytes;

use crate::frame::decode_body;
use crate::messages::*;
use crate::records::{consumer_offsets, control, metadata};
use crate::schema::MessageSchema;
use crate::{DecodeError, EncodeError, Message, Version, Writer};

/// One message.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its annotations.
    pub schema: &'static MessageSchema,
    /// Decodes all of the bytes in a version, which may be any, and encodes the value again in the same version.
    pub recode: fn(Bytes, Version) -> Result<Bytes, RecodeError>,
    /// Encodes the default value in a version.
    pub encode_default: fn(Version) -> Result<Bytes, EncodeError>,
}

/// Why [`Entry::recode`] failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecodeError {
    /// The bytes are not the message.
    #[error("decoding: {0}")]
    Decode(#[from] DecodeError),
    /// The decoded value does not fit into the version that it came in.
    #[error("encoding what was decoded: {0}")]
    Encode(#[from] EncodeError),
}

impl Entry {
    const fn of<M: Message>() -> Self {
        Self { schema: M::SCHEMA, recode: recode::<M>, encode_default: encode_default::<M> }
    }

    /// The message of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|entry| entry.schema.name == name)
    }
}

fn recode<M: Message>(bytes: Bytes, version: Version) -> Result<Bytes, RecodeError> {
    let message: M = decode_body(bytes, version)?;
    Ok(encode(&message, version)?)
}

fn encode_default<M: Message>(version: Version) -> Result<Bytes, EncodeError> {
    encode(&M::default(), version)
}

fn encode<M: Message>(message: &M, version: Version) -> Result<Bytes, EncodeError> {
    let mut w = Writer::new();
    message.encode(&mut w, version)?;
    Ok(w.into_bytes())
}

/// All of them.
pub static ALL: &[Entry] = &[
    Entry::of::<AllocateProducerIdsRequest>(),
    Entry::of::<AllocateProducerIdsResponse>(),
    Entry::of::<AlterConfigsRequest>(),
    Entry::of::<AlterConfigsResponse>(),
    Entry::of::<AlterPartitionRequest>(),
    Entry::of::<AlterPartitionResponse>(),
    Entry::of::<AlterPartitionReassignmentsRequest>(),
    Entry::of::<AlterPartitionReassignmentsResponse>(),
    Entry::of::<ApiVersionsRequest>(),
    Entry::of::<ApiVersionsResponse>(),
    Entry::of::<BrokerHeartbeatRequest>(),
    Entry::of::<BrokerHeartbeatResponse>(),
    Entry::of::<BrokerRegistrationRequest>(),
    Entry::of::<BrokerRegistrationResponse>(),
    Entry::of::<ControllerRegistrationRequest>(),
    Entry::of::<ControllerRegistrationResponse>(),
    Entry::of::<CreatePartitionsRequest>(),
    Entry::of::<CreatePartitionsResponse>(),
    Entry::of::<CreateTopicsRequest>(),
    Entry::of::<CreateTopicsResponse>(),
    Entry::of::<DeleteGroupsRequest>(),
    Entry::of::<DeleteGroupsResponse>(),
    Entry::of::<DeleteRecordsRequest>(),
    Entry::of::<DeleteRecordsResponse>(),
    Entry::of::<DeleteTopicsRequest>(),
    Entry::of::<DeleteTopicsResponse>(),
    Entry::of::<DescribeAclsRequest>(),
    Entry::of::<DescribeAclsResponse>(),
    Entry::of::<DescribeClientQuotasRequest>(),
    Entry::of::<DescribeClientQuotasResponse>(),
    Entry::of::<DescribeClusterRequest>(),
    Entry::of::<DescribeClusterResponse>(),
    Entry::of::<DescribeConfigsRequest>(),
    Entry::of::<DescribeConfigsResponse>(),
    Entry::of::<DescribeGroupsRequest>(),
    Entry::of::<DescribeGroupsResponse>(),
    Entry::of::<DescribeLogDirsRequest>(),
    Entry::of::<DescribeLogDirsResponse>(),
    Entry::of::<DescribeProducersRequest>(),
    Entry::of::<DescribeProducersResponse>(),
    Entry::of::<DescribeQuorumRequest>(),
    Entry::of::<DescribeQuorumResponse>(),
    Entry::of::<DescribeTopicPartitionsRequest>(),
    Entry::of::<DescribeTopicPartitionsResponse>(),
    Entry::of::<DescribeUserScramCredentialsRequest>(),
    Entry::of::<DescribeUserScramCredentialsResponse>(),
    Entry::of::<ElectLeadersRequest>(),
    Entry::of::<ElectLeadersResponse>(),
    Entry::of::<EnvelopeRequest>(),
    Entry::of::<EnvelopeResponse>(),
    Entry::of::<FetchRequest>(),
    Entry::of::<FetchResponse>(),
    Entry::of::<FindCoordinatorRequest>(),
    Entry::of::<FindCoordinatorResponse>(),
    Entry::of::<HeartbeatRequest>(),
    Entry::of::<HeartbeatResponse>(),
    Entry::of::<IncrementalAlterConfigsRequest>(),
    Entry::of::<IncrementalAlterConfigsResponse>(),
    Entry::of::<InitProducerIdRequest>(),
    Entry::of::<InitProducerIdResponse>(),
    Entry::of::<JoinGroupRequest>(),
    Entry::of::<JoinGroupResponse>(),
    Entry::of::<LeaveGroupRequest>(),
    Entry::of::<LeaveGroupResponse>(),
    Entry::of::<ListConfigResourcesRequest>(),
    Entry::of::<ListConfigResourcesResponse>(),
    Entry::of::<ListGroupsRequest>(),
    Entry::of::<ListGroupsResponse>(),
    Entry::of::<ListOffsetsRequest>(),
    Entry::of::<ListOffsetsResponse>(),
    Entry::of::<ListPartitionReassignmentsRequest>(),
    Entry::of::<ListPartitionReassignmentsResponse>(),
    Entry::of::<ListTransactionsRequest>(),
    Entry::of::<ListTransactionsResponse>(),
    Entry::of::<MetadataRequest>(),
    Entry::of::<MetadataResponse>(),
    Entry::of::<OffsetCommitRequest>(),
    Entry::of::<OffsetCommitResponse>(),
    Entry::of::<OffsetDeleteRequest>(),
    Entry::of::<OffsetDeleteResponse>(),
    Entry::of::<OffsetFetchRequest>(),
    Entry::of::<OffsetFetchResponse>(),
    Entry::of::<OffsetForLeaderEpochRequest>(),
    Entry::of::<OffsetForLeaderEpochResponse>(),
    Entry::of::<ProduceRequest>(),
    Entry::of::<ProduceResponse>(),
    Entry::of::<SaslAuthenticateRequest>(),
    Entry::of::<SaslAuthenticateResponse>(),
    Entry::of::<SaslHandshakeRequest>(),
    Entry::of::<SaslHandshakeResponse>(),
    Entry::of::<SyncGroupRequest>(),
    Entry::of::<SyncGroupResponse>(),
    Entry::of::<UnregisterBrokerRequest>(),
    Entry::of::<UnregisterBrokerResponse>(),
    Entry::of::<UpdateFeaturesRequest>(),
    Entry::of::<UpdateFeaturesResponse>(),
    Entry::of::<FetchMetadataRequest>(),
    Entry::of::<FetchMetadataResponse>(),
    Entry::of::<RaftMessageRequest>(),
    Entry::of::<RaftMessageResponse>(),
    Entry::of::<RequestHeader>(),
    Entry::of::<ResponseHeader>(),
    Entry::of::<ConsumerProtocolSubscription>(),
    Entry::of::<ConsumerProtocolAssignment>(),
    Entry::of::<DefaultPrincipalData>(),
    Entry::of::<consumer_offsets::OffsetCommitKey>(),
    Entry::of::<consumer_offsets::OffsetCommitValue>(),
    Entry::of::<consumer_offsets::GroupMetadataKey>(),
    Entry::of::<consumer_offsets::GroupMetadataValue>(),
    Entry::of::<control::LeaderChangeMessage>(),
    Entry::of::<control::SnapshotHeaderRecord>(),
    Entry::of::<control::SnapshotFooterRecord>(),
    Entry::of::<control::KRaftVersionRecord>(),
    Entry::of::<control::VotersRecord>(),
    Entry::of::<control::EndTxnMarker>(),
    Entry::of::<control::ControlRecordTypeSchema>(),
    Entry::of::<metadata::RegisterBrokerRecord>(),
    Entry::of::<metadata::UnregisterBrokerRecord>(),
    Entry::of::<metadata::BrokerRegistrationChangeRecord>(),
    Entry::of::<metadata::FenceBrokerRecord>(),
    Entry::of::<metadata::UnfenceBrokerRecord>(),
    Entry::of::<metadata::RegisterControllerRecord>(),
    Entry::of::<metadata::TopicRecord>(),
    Entry::of::<metadata::PartitionRecord>(),
    Entry::of::<metadata::PartitionChangeRecord>(),
    Entry::of::<metadata::RemoveTopicRecord>(),
    Entry::of::<metadata::ClearElrRecord>(),
    Entry::of::<metadata::ConfigRecord>(),
    Entry::of::<metadata::FeatureLevelRecord>(),
    Entry::of::<metadata::ClientQuotaRecord>(),
    Entry::of::<metadata::ProducerIdsRecord>(),
    Entry::of::<metadata::AccessControlEntryRecord>(),
    Entry::of::<metadata::RemoveAccessControlEntryRecord>(),
    Entry::of::<metadata::UserScramCredentialRecord>(),
    Entry::of::<metadata::RemoveUserScramCredentialRecord>(),
    Entry::of::<metadata::DelegationTokenRecord>(),
    Entry::of::<metadata::RemoveDelegationTokenRecord>(),
    Entry::of::<metadata::BeginTransactionRecord>(),
    Entry::of::<metadata::EndTransactionRecord>(),
    Entry::of::<metadata::AbortTransactionRecord>(),
    Entry::of::<metadata::NoOpRecord>(),
];
