//! What a controller listener serves.

use ottla_config::ConfigEntry;
use ottla_metadata::image::{ConfigResource, ResourceKind, SUPPORTED_FEATURES};
use ottla_protocol::messages::{
    AddRaftVoterRequest, AllocateProducerIdsRequest, AlterConfigsRequest, AlterPartitionReassignmentsRequest,
    AlterPartitionRequest, ApiVersionsRequest, AssignReplicasToDirsRequest, BrokerHeartbeatRequest,
    BrokerRegistrationRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeBalanceRequest, DescribeClusterRequest, DescribeConfigsRequest, DescribeQuorumRequest,
    ElectLeadersRequest, FetchMetadataRequest, IncrementalAlterConfigsRequest,
    ListPartitionReassignmentsRequest, RaftMessageRequest, RemoveRaftVoterRequest, UnregisterBrokerRequest,
    UpdateFeaturesRequest, UpdateRaftVoterRequest,
};
use ottla_server::{FeatureRange, HasConfigs, HasFeatures, NodeFeatures};
use ottla_telemetry::LogLevels;
use ottla_types::NodeId;

use crate::{Controller, api};

ottla_server::apis! { Controller;
    ApiVersionsRequest, lane Connection, listeners [controller], acl none => api_versions;
    CreateTopicsRequest, lane Controller, listeners [controller], acl per_resource => api::create_topics::handle;
    DeleteTopicsRequest, lane Controller, listeners [controller], acl per_resource => api::delete_topics::handle;
    CreatePartitionsRequest, lane Controller, listeners [controller], acl per_resource => api::create_partitions::handle;
    AlterConfigsRequest, lane Controller, listeners [controller], acl per_resource => api::alter_configs::handle;
    IncrementalAlterConfigsRequest, lane Controller, listeners [controller], acl per_resource => api::incremental_alter_configs::handle;
    DescribeConfigsRequest, lane Metadata, listeners [controller], acl per_resource => ottla_server::describe_configs;
    ElectLeadersRequest, lane Controller, listeners [controller], acl Alter Cluster => api::elect_leaders::handle;
    AlterPartitionReassignmentsRequest, lane Controller, listeners [controller], acl Alter Cluster => api::alter_partition_reassignments::handle;
    ListPartitionReassignmentsRequest, lane Controller, listeners [controller], acl Describe Cluster => api::list_partition_reassignments::handle;
    DescribeBalanceRequest, lane Controller, listeners [controller], acl Describe Cluster => api::describe_balance::handle;
    DescribeQuorumRequest, lane Controller, listeners [controller], acl Describe Cluster => api::describe_quorum::handle;
    AlterPartitionRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::alter_partition::handle;
    UpdateFeaturesRequest, lane Controller, listeners [controller], acl Alter Cluster => api::update_features::handle;
    DescribeClusterRequest, lane Controller, listeners [controller], acl Describe Cluster => api::describe_cluster::handle;
    BrokerRegistrationRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::broker_registration::handle;
    BrokerHeartbeatRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::broker_heartbeat::handle;
    AssignReplicasToDirsRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::assign_replicas_to_dirs::handle;
    UnregisterBrokerRequest, lane Controller, listeners [controller], acl Alter Cluster => api::unregister_broker::handle;
    AllocateProducerIdsRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::allocate_producer_ids::handle;
    AddRaftVoterRequest, lane Controller, listeners [controller], acl Alter Cluster => api::add_raft_voter::handle;
    RemoveRaftVoterRequest, lane Controller, listeners [controller], acl Alter Cluster => api::remove_raft_voter::handle;
    UpdateRaftVoterRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::update_raft_voter::handle;
    FetchMetadataRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => pipeline api::fetch_metadata::handle;
    RaftMessageRequest, lane Controller, listeners [controller], acl ClusterAction Cluster => api::raft_message::handle;
}

impl HasFeatures for Controller {
    fn features(&self) -> NodeFeatures {
        let image = self.image();
        NodeFeatures {
            node_id: self.node_id().0,
            cluster_id: Some(self.cluster_id().into()),
            supported: SUPPORTED_FEATURES
                .iter()
                .map(|&(name, min, max)| FeatureRange { name: name.into(), min, max })
                .collect(),
            finalized_epoch: image.offset.0,
            finalized: image
                .features
                .iter()
                .map(|(name, level)| FeatureRange { name: name.clone(), min: level, max: level })
                .collect(),
        }
    }
}

impl HasConfigs for Controller {
    fn id(&self) -> NodeId {
        self.node_id()
    }

    fn loggers(&self) -> Option<&LogLevels> {
        self.log_levels()
    }

    fn describe(&self, resource_type: i8, name: &str) -> Option<Vec<ConfigEntry>> {
        let resource = ConfigResource { kind: ResourceKind::from_code(resource_type)?, name: name.into() };
        self.image().describe_configs(&self.settings.configured, self.node_id(), &resource)
    }
}
