//! The controller's decisions as functions: the image (with whatever is decided but not yet committed), a request,
//! and where it matters random bits, to records and an answer. One operation, one file.

mod allocate_producer_ids;
mod alter_configs;
mod alter_partition;
mod alter_partition_reassignments;
mod assign_replicas_to_dirs;
mod assignment;
mod balance;
mod bootstrap;
mod broker_change;
mod config_change;
mod create_partitions;
mod create_topics;
mod decision;
mod delete_topics;
mod elect_leaders;
mod fence_broker;
mod heartbeat;
mod incremental_alter_configs;
mod list_partition_reassignments;
mod min_isr;
mod partition_change;
mod placement;
mod register_broker;
mod update_features;

#[cfg(test)]
mod brokers_test;
#[cfg(test)]
mod configs_test;
#[cfg(test)]
mod topics_test;

pub use self::allocate_producer_ids::{
    AllocateProducerIdsError, PRODUCER_ID_BLOCK_SIZE, ProducerIdBlock, plan_allocate_producer_ids,
};
pub use self::alter_configs::{ReplaceConfigs, plan_alter_configs};
pub use self::alter_partition::{
    AlterPartition, AlterPartitionError, AlterPartitionOutcome, plan_alter_partition,
};
pub use self::alter_partition_reassignments::{
    Reassignment, ReassignmentError, ReassignmentOutcome, plan_alter_partition_reassignments,
};
pub use self::assign_replicas_to_dirs::{
    AssignReplicaError, DirectoryAssignment, plan_assign_replicas_to_dirs,
};
pub use self::assignment::AssignmentError;
pub use self::balance::{
    Balance, BalanceInput, BrokerLoad, Move, MoveKind, PartitionKey, Standing, plan_balance, plan_moves,
};
pub use self::bootstrap::plan_bootstrap;
pub use self::broker_change::StaleBrokerEpoch;
pub use self::config_change::AlterConfigError;
pub use self::create_partitions::{CreatePartitionsError, MorePartitions, plan_create_partitions};
pub use self::create_topics::{
    CreateTopicError, CreateTopicsAnswer, CreatedTopic, NewTopic, plan_create_topics,
};
pub use self::decision::{Decision, Draw};
pub use self::delete_topics::{DeleteTopicError, DeletedTopic, TopicRef, plan_delete_topics};
pub use self::elect_leaders::{ElectLeaderError, ElectionOutcome, ElectionType, plan_elect_leaders};
pub use self::fence_broker::{BrokerNotRegistered, plan_fence_broker, plan_unregister_broker};
pub use self::heartbeat::{Heartbeat, HeartbeatAnswer, SessionFacts, plan_heartbeat};
pub use self::incremental_alter_configs::{ConfigOp, IncrementalChange, plan_incremental_alter_configs};
pub use self::list_partition_reassignments::{OngoingReassignments, list_partition_reassignments};
pub use self::partition_change::Election;
pub use self::placement::PlacementError;
pub use self::register_broker::{RegisterBrokerError, Registration, plan_register_broker};
pub use self::update_features::{
    FeatureUpdate, UpdateFeaturesError, UpdateType, VoterFeatures, plan_update_features,
};
