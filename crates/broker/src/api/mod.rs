//! The APIs of the broker's listeners: one row each, and a file for each handler.

mod alter_replica_log_dirs;
mod delete_groups;
mod delete_records;
mod describe_cluster;
mod describe_groups;
mod describe_log_dirs;
mod describe_topic_partitions;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leader_hints;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod metadata;
mod near;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sync_group;

use ottla_metadata::MetadataImage;
use ottla_metadata::image::PartitionImage;
use ottla_protocol::NodeIds;
use ottla_protocol::messages::*;

use self::leader_hints::LeaderHints;
use crate::Broker;

/// What a response says of authorized operations when nobody asked.
const NOT_ASKED: i32 = i32::MIN;

ottla_server::apis! { Broker;
    // Clients that support versions 0 to 2 must see them, or they give up compression (KAFKA-18659); they are refused.
    ProduceRequest, advertise 0, lane Log, listeners [broker], acl per_resource => start produce;
    FetchRequest, lane Log, listeners [broker], acl per_resource => fetch::handle;
    ListOffsetsRequest, lane Log, listeners [broker], acl per_resource => list_offsets::handle;
    MetadataRequest, lane Metadata, listeners [broker], acl per_resource => pipeline metadata::handle;
    OffsetCommitRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => offset_commit::handle;
    OffsetFetchRequest, lane Coordinator, listeners [broker], acl per_resource => offset_fetch::handle;
    FindCoordinatorRequest, lane Metadata, listeners [broker], acl per_resource => find_coordinator::handle;
    JoinGroupRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => join_group::handle;
    HeartbeatRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => heartbeat::handle;
    LeaveGroupRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => leave_group::handle;
    SyncGroupRequest, lane Coordinator, listeners [broker], acl Read Group(group_id) => sync_group::handle;
    DescribeGroupsRequest, lane Coordinator, listeners [broker], acl per_resource => describe_groups::handle;
    ListGroupsRequest, lane Coordinator, listeners [broker], acl per_resource => list_groups::handle;
    ApiVersionsRequest, lane Connection, listeners [broker], acl none => api_versions;
    CreateTopicsRequest, lane Controller, listeners [broker], acl per_resource => forward;
    DeleteTopicsRequest, lane Controller, listeners [broker], acl per_resource => forward;
    DeleteRecordsRequest, lane Log, listeners [broker], acl per_resource => delete_records::handle;
    InitProducerIdRequest, versions 0-5, lane Coordinator, listeners [broker], acl IdempotentWrite Cluster => init_producer_id::handle;
    OffsetForLeaderEpochRequest, lane Log, listeners [broker], acl per_resource => offset_for_leader_epoch::handle;
    AlterReplicaLogDirsRequest, lane Log, listeners [broker], acl Alter Cluster => alter_replica_log_dirs::handle;
    DescribeLogDirsRequest, lane Metadata, listeners [broker], acl Describe Cluster => describe_log_dirs::handle;
    DescribeConfigsRequest, lane Metadata, listeners [broker], acl per_resource => ottla_server::describe_configs;
    AlterConfigsRequest, lane Controller, listeners [broker], acl per_resource => forward;
    CreatePartitionsRequest, lane Controller, listeners [broker], acl per_resource => forward;
    DeleteGroupsRequest, lane Coordinator, listeners [broker], acl per_resource => delete_groups::handle;
    ElectLeadersRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    IncrementalAlterConfigsRequest, lane Controller, listeners [broker], acl per_resource => incremental_alter_configs::handle;
    AlterPartitionReassignmentsRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    ListPartitionReassignmentsRequest, lane Controller, listeners [broker], acl Describe Cluster => forward;
    DescribeBalanceRequest, lane Controller, listeners [broker], acl Describe Cluster => forward;
    OffsetDeleteRequest, lane Coordinator, listeners [broker], acl Delete Group(group_id) => offset_delete::handle;
    DescribeQuorumRequest, lane Controller, listeners [broker], acl Describe Cluster => forward;
    UpdateFeaturesRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    DescribeClusterRequest, lane Metadata, listeners [broker], acl Describe Cluster => describe_cluster::handle;
    UnregisterBrokerRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    AddRaftVoterRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    RemoveRaftVoterRequest, lane Controller, listeners [broker], acl Alter Cluster => forward;
    ListConfigResourcesRequest, lane Metadata, listeners [broker], acl DescribeConfigs Cluster => list_config_resources::handle;
    DescribeTopicPartitionsRequest, lane Metadata, listeners [broker], acl per_resource => pipeline describe_topic_partitions::handle;
}

/// Replicas on brokers that are fenced or gone.
fn offline_replicas(image: &MetadataImage, partition: &PartitionImage) -> NodeIds {
    let online = |id| image.brokers.get(id).is_some_and(|broker| !broker.fenced);
    partition.replicas.iter().filter(|&&id| !online(id)).map(|id| id.0).collect()
}
