//! Every request can be refused in each of its versions, and the peer finds the error.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

mod support;

use ottla_protocol::frame::{decode_body, decode_response, encode_response, strip_length};
use ottla_protocol::messages::*;
use ottla_protocol::registry::ALL;
use ottla_protocol::schema::MessageKind;
use ottla_protocol::{ErrorCode, Request};

use crate::support::RandomMessage;

/// Two bytes that nothing else in a response has, short as random requests are.
const ERROR: ErrorCode = ErrorCode(0x5aa5);

/// Requests whose responses have no error of their own in that version: each topic, partition, group or resource has
/// one, so a request that names none cannot be told.
fn has_errors_per_item(request: &str, version: i16) -> bool {
    const ALWAYS: &[&str] = &[
        "AlterClientQuotasRequest",
        "AlterConfigsRequest",
        "AlterReplicaLogDirsRequest",
        "AlterUserScramCredentialsRequest",
        "ConsumerGroupDescribeRequest",
        "CreateAclsRequest",
        "CreatePartitionsRequest",
        "CreateTopicsRequest",
        "DeleteAclsRequest",
        "DeleteGroupsRequest",
        "DeleteRecordsRequest",
        "DeleteShareGroupStateRequest",
        "DeleteTopicsRequest",
        "DescribeConfigsRequest",
        "DescribeGroupsRequest",
        "DescribeProducersRequest",
        "DescribeShareGroupOffsetsRequest",
        "DescribeTopicPartitionsRequest",
        "DescribeTransactionsRequest",
        "IncrementalAlterConfigsRequest",
        "InitializeShareGroupStateRequest",
        "ListOffsetsRequest",
        "OffsetCommitRequest",
        "OffsetForLeaderEpochRequest",
        "ProduceRequest",
        "ReadShareGroupStateRequest",
        "ReadShareGroupStateSummaryRequest",
        "ShareGroupDescribeRequest",
        "StreamsGroupDescribeRequest",
        "TxnOffsetCommitRequest",
        "WriteShareGroupStateRequest",
        "WriteTxnMarkersRequest",
    ];
    match request {
        "AddPartitionsToTxnRequest" => version < 4,
        "FetchRequest" => version < 7,
        "MetadataRequest" => version < 13,
        "ElectLeadersRequest" => version < 1,
        "OffsetFetchRequest" => !(2..8).contains(&version),
        "FindCoordinatorRequest" => version >= 4,
        _ => ALWAYS.contains(&request),
    }
}

/// Refuses random requests in every version, and looks for the error in the bytes of the response.
fn check<R: Request>() {
    let (name, versions) = (R::SCHEMA.name, R::SCHEMA.versions);
    for version in versions.first..=versions.last {
        let mut told = 0;
        for seed in 0..16 {
            let bytes = RandomMessage::new(R::SCHEMA, version, seed).bytes;
            let request: R = decode_body(bytes.into(), version).unwrap();
            let refusal = request.error_response(version, ERROR);
            let frame = match encode_response(1, version, &refusal) {
                Ok(frame) => frame,
                Err(error) => panic!("{name} {version}: {error}"),
            };
            told += usize::from(frame.array_windows().any(|pair| *pair == ERROR.code().to_be_bytes()));
            decode_response::<R::Response>(strip_length(frame.into()), version).unwrap();
        }
        let expected = match name {
            // The older versions cannot tell an error at all.
            "DescribeLogDirsRequest" if version < 3 => 0,
            _ if has_errors_per_item(name, version) => 1,
            _ => 16,
        };
        assert!(told >= expected, "{name} {version} told its error {told} times of 16");
    }
}

macro_rules! requests {
    ($($request:ident)*) => {
        #[test]
        fn every_request_can_be_refused_in_every_version() {
            $(check::<$request>();)*
        }

        const NAMES: &[&str] = &[$(stringify!($request)),*];
    };
}

requests! {
    AddOffsetsToTxnRequest AddPartitionsToTxnRequest AddRaftVoterRequest AllocateProducerIdsRequest
    AlterClientQuotasRequest AlterConfigsRequest AlterPartitionReassignmentsRequest AlterPartitionRequest
    AlterReplicaLogDirsRequest AlterShareGroupOffsetsRequest AlterUserScramCredentialsRequest ApiVersionsRequest
    AssignReplicasToDirsRequest BeginQuorumEpochRequest BrokerHeartbeatRequest BrokerRegistrationRequest
    ConsumerGroupDescribeRequest ConsumerGroupHeartbeatRequest ControllerRegistrationRequest CreateAclsRequest
    CreateDelegationTokenRequest CreatePartitionsRequest CreateTopicsRequest DeleteAclsRequest
    DeleteGroupsRequest DeleteRecordsRequest DeleteShareGroupOffsetsRequest DeleteShareGroupStateRequest
    DeleteTopicsRequest DescribeAclsRequest DescribeClientQuotasRequest DescribeClusterRequest
    DescribeBalanceRequest DescribeConfigsRequest DescribeDelegationTokenRequest DescribeGroupsRequest DescribeLogDirsRequest
    DescribeProducersRequest DescribeQuorumRequest DescribeShareGroupOffsetsRequest
    DescribeTopicPartitionsRequest DescribeTransactionsRequest DescribeUserScramCredentialsRequest
    ElectLeadersRequest EndQuorumEpochRequest EndTxnRequest EnvelopeRequest ExpireDelegationTokenRequest
    FetchMetadataRequest FetchRequest FetchSnapshotRequest FindCoordinatorRequest
    GetTelemetrySubscriptionsRequest HeartbeatRequest IncrementalAlterConfigsRequest InitProducerIdRequest
    InitializeShareGroupStateRequest JoinGroupRequest LeaveGroupRequest ListConfigResourcesRequest
    ListGroupsRequest ListOffsetsRequest ListPartitionReassignmentsRequest ListTransactionsRequest
    MetadataRequest OffsetCommitRequest OffsetDeleteRequest OffsetFetchRequest OffsetForLeaderEpochRequest
    ProduceRequest PushTelemetryRequest RaftMessageRequest ReadShareGroupStateRequest
    ReadShareGroupStateSummaryRequest RemoveRaftVoterRequest RenewDelegationTokenRequest SaslAuthenticateRequest
    SaslHandshakeRequest ShareAcknowledgeRequest ShareFetchRequest ShareGroupDescribeRequest
    ShareGroupHeartbeatRequest StreamsGroupDescribeRequest StreamsGroupHeartbeatRequest
    StreamsGroupTopologyDescriptionUpdateRequest SyncGroupRequest TxnOffsetCommitRequest UnregisterBrokerRequest
    UnregisterControllerRequest UpdateFeaturesRequest UpdateRaftVoterRequest VoteRequest
    WriteShareGroupStateRequest WriteTxnMarkersRequest
}

#[test]
fn none_is_missing() {
    let requests = ALL.iter().filter(|entry| matches!(entry.schema.kind, MessageKind::Request(_)));
    let missing: Vec<_> =
        requests.map(|entry| entry.schema.name).filter(|name| !NAMES.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}
