//! Requests and responses, one module per API with the structs of its request and response.
//!
//! Names of fields are Kafka's; names of structs too, unless one module would have two of a name. Every struct has
//! Kafka's default values, so `..Default::default()` fills in what a caller does not set.

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod add_raft_voter;
pub mod allocate_producer_ids;
pub mod alter_client_quotas;
pub mod alter_configs;
pub mod alter_partition;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
pub mod alter_share_group_offsets;
pub mod alter_user_scram_credentials;
pub mod api_versions;
pub mod assign_replicas_to_dirs;
pub mod begin_quorum_epoch;
pub mod broker_heartbeat;
pub mod broker_registration;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod consumer_protocol;
pub mod controller_registration;
pub mod create_acls;
pub mod create_delegation_token;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_acls;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_share_group_offsets;
pub mod delete_share_group_state;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_delegation_token;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_share_group_offsets;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod end_quorum_epoch;
pub mod end_txn;
pub mod envelope;
pub mod expire_delegation_token;
pub mod fetch;
pub mod fetch_snapshot;
pub mod find_coordinator;
pub mod get_telemetry_subscriptions;
pub mod header;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod initialize_share_group_state;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod principal;
pub mod private;
pub mod produce;
pub mod push_telemetry;
pub mod read_share_group_state;
pub mod read_share_group_state_summary;
pub mod remove_raft_voter;
pub mod renew_delegation_token;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod share_acknowledge;
pub mod share_fetch;
pub mod share_group_describe;
pub mod share_group_heartbeat;
pub mod streams_group_describe;
pub mod streams_group_heartbeat;
pub mod streams_group_topology_description_update;
pub mod sync_group;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod unregister_controller;
pub mod update_features;
pub mod update_raft_voter;
pub mod vote;
pub mod write_share_group_state;
pub mod write_txn_markers;

pub use self::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
pub use self::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
pub use self::add_raft_voter::{AddRaftVoterRequest, AddRaftVoterResponse};
pub use self::allocate_producer_ids::{AllocateProducerIdsRequest, AllocateProducerIdsResponse};
pub use self::alter_client_quotas::{AlterClientQuotasRequest, AlterClientQuotasResponse};
pub use self::alter_configs::{AlterConfigsRequest, AlterConfigsResponse};
pub use self::alter_partition::{AlterPartitionRequest, AlterPartitionResponse};
pub use self::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
};
pub use self::alter_replica_log_dirs::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse};
pub use self::alter_share_group_offsets::{AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse};
pub use self::alter_user_scram_credentials::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse,
};
pub use self::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
pub use self::assign_replicas_to_dirs::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse};
pub use self::begin_quorum_epoch::{BeginQuorumEpochRequest, BeginQuorumEpochResponse};
pub use self::broker_heartbeat::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
pub use self::broker_registration::{BrokerRegistrationRequest, BrokerRegistrationResponse};
pub use self::consumer_group_describe::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse};
pub use self::consumer_group_heartbeat::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse};
pub use self::consumer_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
pub use self::controller_registration::{ControllerRegistrationRequest, ControllerRegistrationResponse};
pub use self::create_acls::{CreateAclsRequest, CreateAclsResponse};
pub use self::create_delegation_token::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
pub use self::create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
pub use self::create_topics::{CreateTopicsRequest, CreateTopicsResponse};
pub use self::delete_acls::{DeleteAclsRequest, DeleteAclsResponse};
pub use self::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
pub use self::delete_records::{DeleteRecordsRequest, DeleteRecordsResponse};
pub use self::delete_share_group_offsets::{DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse};
pub use self::delete_share_group_state::{DeleteShareGroupStateRequest, DeleteShareGroupStateResponse};
pub use self::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
pub use self::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
pub use self::describe_client_quotas::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};
pub use self::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
pub use self::describe_configs::{DescribeConfigsRequest, DescribeConfigsResponse};
pub use self::describe_delegation_token::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};
pub use self::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
pub use self::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
pub use self::describe_producers::{DescribeProducersRequest, DescribeProducersResponse};
pub use self::describe_quorum::{DescribeQuorumRequest, DescribeQuorumResponse};
pub use self::describe_share_group_offsets::{
    DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse,
};
pub use self::describe_topic_partitions::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
pub use self::describe_transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse};
pub use self::describe_user_scram_credentials::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
};
pub use self::elect_leaders::{ElectLeadersRequest, ElectLeadersResponse};
pub use self::end_quorum_epoch::{EndQuorumEpochRequest, EndQuorumEpochResponse};
pub use self::end_txn::{EndTxnRequest, EndTxnResponse};
pub use self::envelope::{EnvelopeRequest, EnvelopeResponse};
pub use self::expire_delegation_token::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};
pub use self::fetch::{FetchRequest, FetchResponse};
pub use self::fetch_snapshot::{FetchSnapshotRequest, FetchSnapshotResponse};
pub use self::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
pub use self::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
pub use self::header::{RequestHeader, ResponseHeader};
pub use self::heartbeat::{HeartbeatRequest, HeartbeatResponse};
pub use self::incremental_alter_configs::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
pub use self::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
pub use self::initialize_share_group_state::{
    InitializeShareGroupStateRequest, InitializeShareGroupStateResponse,
};
pub use self::join_group::{JoinGroupRequest, JoinGroupResponse};
pub use self::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
pub use self::list_config_resources::{ListConfigResourcesRequest, ListConfigResourcesResponse};
pub use self::list_groups::{ListGroupsRequest, ListGroupsResponse};
pub use self::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub use self::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
pub use self::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};
pub use self::metadata::{MetadataRequest, MetadataResponse};
pub use self::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
pub use self::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
pub use self::offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};
pub use self::offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
pub use self::principal::DefaultPrincipalData;
pub use self::private::{
    BalanceMove, BalancedBroker, DescribeBalanceRequest, DescribeBalanceResponse, FetchMetadataRequest,
    FetchMetadataResponse, MetadataEntry, RaftMessageRequest, RaftMessageResponse,
};
pub use self::produce::{ProduceRequest, ProduceResponse};
pub use self::push_telemetry::{PushTelemetryRequest, PushTelemetryResponse};
pub use self::read_share_group_state::{ReadShareGroupStateRequest, ReadShareGroupStateResponse};
pub use self::read_share_group_state_summary::{
    ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse,
};
pub use self::remove_raft_voter::{RemoveRaftVoterRequest, RemoveRaftVoterResponse};
pub use self::renew_delegation_token::{RenewDelegationTokenRequest, RenewDelegationTokenResponse};
pub use self::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
pub use self::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};
pub use self::share_acknowledge::{ShareAcknowledgeRequest, ShareAcknowledgeResponse};
pub use self::share_fetch::{ShareFetchRequest, ShareFetchResponse};
pub use self::share_group_describe::{ShareGroupDescribeRequest, ShareGroupDescribeResponse};
pub use self::share_group_heartbeat::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse};
pub use self::streams_group_describe::{StreamsGroupDescribeRequest, StreamsGroupDescribeResponse};
pub use self::streams_group_heartbeat::{StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse};
pub use self::streams_group_topology_description_update::{
    StreamsGroupTopologyDescriptionUpdateRequest, StreamsGroupTopologyDescriptionUpdateResponse,
};
pub use self::sync_group::{SyncGroupRequest, SyncGroupResponse};
pub use self::txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
pub use self::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
pub use self::unregister_controller::{UnregisterControllerRequest, UnregisterControllerResponse};
pub use self::update_features::{UpdateFeaturesRequest, UpdateFeaturesResponse};
pub use self::update_raft_voter::{UpdateRaftVoterRequest, UpdateRaftVoterResponse};
pub use self::vote::{VoteRequest, VoteResponse};
pub use self::write_share_group_state::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};
pub use self::write_txn_markers::{WriteTxnMarkersRequest, WriteTxnMarkersResponse};
