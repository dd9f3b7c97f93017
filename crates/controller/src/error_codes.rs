//! Every error of a decision as Kafka's code. One match per enum, all exhaustive: a new error has to be given a code here
//! before it compiles.

use ottla_config::ConfigRejected;
use ottla_consensus::ChangeError;
use ottla_metadata::plan::{
    AllocateProducerIdsError, AlterConfigError, AlterPartitionError, AssignReplicaError, AssignmentError,
    BrokerNotRegistered, CreatePartitionsError, CreateTopicError, DeleteTopicError, ElectLeaderError,
    PlacementError, ReassignmentError, RegisterBrokerError, StaleBrokerEpoch, UpdateFeaturesError,
};
use ottla_protocol::ErrorCode;

use crate::ControllerError;
use crate::error::VoterError;

/// An error that clients know by a code.
pub(crate) trait Coded {
    /// Its code.
    fn code(&self) -> ErrorCode;
}

impl Coded for ControllerError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotActive { .. } => ErrorCode::NOT_CONTROLLER,
            // Whoever asks again learns from the new controller what became of it.
            Self::Unknown => ErrorCode::NOT_CONTROLLER,
            Self::TooLarge { .. } => ErrorCode::POLICY_VIOLATION,
            Self::Failed(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for StaleBrokerEpoch {
    fn code(&self) -> ErrorCode {
        ErrorCode::STALE_BROKER_EPOCH
    }
}

impl Coded for BrokerNotRegistered {
    fn code(&self) -> ErrorCode {
        ErrorCode::BROKER_ID_NOT_REGISTERED
    }
}

impl Coded for RegisterBrokerError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::ClusterId { .. } => ErrorCode::INCONSISTENT_CLUSTER_ID,
            Self::Duplicate { .. } | Self::Superseded { .. } => ErrorCode::DUPLICATE_BROKER_REGISTRATION,
            Self::NoDirectories
            | Self::ReservedDirectory(_)
            | Self::RepeatedDirectory(_)
            | Self::ForeignDirectory { .. } => ErrorCode::INVALID_REGISTRATION,
            Self::Feature { .. } => ErrorCode::UNSUPPORTED_VERSION,
        }
    }
}

impl Coded for AllocateProducerIdsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Stale(stale) => stale.code(),
            Self::Exhausted => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Coded for PlacementError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::TooFewBrokers { .. } | Self::AllFenced { .. } => ErrorCode::INVALID_REPLICATION_FACTOR,
        }
    }
}

impl Coded for AssignmentError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Empty
            | Self::UnknownBroker(_)
            | Self::RepeatedBroker(_)
            | Self::Inconsistent { .. }
            | Self::AllFenced(_)
            | Self::RepeatedPartition(_)
            | Self::Gap
            | Self::Count { .. } => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        }
    }
}

impl Coded for CreateTopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Duplicate
            | Self::Prohibited
            | Self::FactorWithAssignment
            | Self::PartitionsWithAssignment => ErrorCode::INVALID_REQUEST,
            Self::Name(_) | Self::Collision { .. } => ErrorCode::INVALID_TOPIC_EXCEPTION,
            Self::Exists { .. } => ErrorCode::TOPIC_ALREADY_EXISTS,
            Self::NullConfigs { .. } => ErrorCode::INVALID_CONFIG,
            Self::Config(error) => error.code(),
            Self::Assignment(error) => error.code(),
            Self::ReplicationFactor => ErrorCode::INVALID_REPLICATION_FACTOR,
            Self::Partitions => ErrorCode::INVALID_PARTITIONS,
            Self::TooMany { .. } => ErrorCode::POLICY_VIOLATION,
            Self::Placement(error) => error.code(),
        }
    }
}

impl Coded for DeleteTopicError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownName => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::UnknownId => ErrorCode::UNKNOWN_TOPIC_ID,
            Self::Duplicate => ErrorCode::INVALID_REQUEST,
        }
    }
}

impl Coded for CreatePartitionsError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Duplicate => ErrorCode::INVALID_REQUEST,
            Self::UnknownTopic => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Same(_) | Self::Fewer { .. } => ErrorCode::INVALID_PARTITIONS,
            Self::TooMany { .. } => ErrorCode::POLICY_VIOLATION,
            Self::Assignment(error) => error.code(),
            Self::Placement(error) => error.code(),
        }
    }
}

impl Coded for AlterConfigError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::DuplicateResource { .. }
            | Self::DuplicateKey { .. }
            | Self::NullValue { .. }
            | Self::DefaultTopic
            | Self::BrokerName { .. }
            | Self::DefaultGroup
            | Self::UnnamedSubscription => ErrorCode::INVALID_REQUEST,
            Self::NotAList { .. } | Self::MinIsrOfBroker | Self::MinIsrRemoved => ErrorCode::INVALID_CONFIG,
            Self::Rejected(rejected) => rejected.code(),
            // Kafka's brokers say so of what cannot be applied (KAFKA-13609).
            Self::RejectedForBroker(_) | Self::Conflict { .. } => ErrorCode::INVALID_REQUEST,
            Self::TopicName(_) => ErrorCode::INVALID_TOPIC_EXCEPTION,
            Self::UnknownTopic { .. } => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::UnknownBroker { .. } => ErrorCode::BROKER_ID_NOT_REGISTERED,
        }
    }
}

impl Coded for ConfigRejected {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownClientMetricsKey { .. } | Self::PushInterval { .. } => ErrorCode::INVALID_REQUEST,
            Self::UnknownTopicKey { .. }
            | Self::UnknownGroupKey { .. }
            | Self::GroupBound { .. }
            | Self::ReadOnly { .. }
            | Self::PerListenerOnly { .. }
            | Self::PerBrokerOnly { .. }
            | Self::Value(_)
            | Self::Conflict(_) => ErrorCode::INVALID_CONFIG,
        }
    }
}

impl Coded for AlterPartitionError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic(_) => ErrorCode::UNKNOWN_TOPIC_ID,
            Self::UnknownPartition(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::NotController { .. } => ErrorCode::NOT_CONTROLLER,
            Self::FencedLeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::NotLeader { .. }
            | Self::InvalidIsr
            | Self::RecoveringWithFollowers
            | Self::RecoveredBefore => ErrorCode::INVALID_REQUEST,
            Self::InvalidUpdateVersion { .. } => ErrorCode::INVALID_UPDATE_VERSION,
            Self::IneligibleReplica { .. } => ErrorCode::INELIGIBLE_REPLICA,
            Self::NewLeaderElected { .. } => ErrorCode::NEW_LEADER_ELECTED,
        }
    }
}

impl Coded for ReassignmentError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic(_) | Self::UnknownPartition { .. } => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::Repeated { .. } => ErrorCode::INVALID_REQUEST,
            Self::Assignment(error) => error.code(),
            Self::ReplicationFactor { .. } => ErrorCode::INVALID_REPLICATION_FACTOR,
            Self::NoReassignmentInProgress => ErrorCode::NO_REASSIGNMENT_IN_PROGRESS,
            Self::UncleanRevert { .. } => ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            Self::TooMany { .. } => ErrorCode::POLICY_VIOLATION,
        }
    }
}

impl Coded for AssignReplicaError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic(_) => ErrorCode::UNKNOWN_TOPIC_ID,
            Self::UnknownPartition(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::NotAReplica(_) => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        }
    }
}

impl Coded for ElectLeaderError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownTopic(_) | Self::UnknownPartition { .. } => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Self::NotNeeded => ErrorCode::ELECTION_NOT_NEEDED,
            Self::PreferredNotAvailable => ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE,
            Self::NoEligible => ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE,
        }
    }
}

impl Coded for UpdateFeaturesError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownType { .. } | Self::Repeated { .. } => ErrorCode::INVALID_REQUEST,
            Self::Unknown { .. }
            | Self::OutOfRange { .. }
            | Self::Broker { .. }
            | Self::Controller { .. }
            | Self::SilentController { .. }
            | Self::Dependency { .. }
            | Self::NotAnUpgrade { .. }
            | Self::NotADowngrade { .. }
            | Self::MetadataDowngrade { .. }
            | Self::KRaftDowngrade { .. } => ErrorCode::INVALID_UPDATE_VERSION,
        }
    }
}

impl Coded for VoterError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::ClusterId { .. } => ErrorCode::INCONSISTENT_CLUSTER_ID,
            Self::NotLeader { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::FencedEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            Self::UnknownEpoch { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
            Self::FixedVoters => ErrorCode::UNSUPPORTED_VERSION,
            Self::NoVoter | Self::NoListener { .. } | Self::KRaftVersion { .. } => ErrorCode::INVALID_REQUEST,
            Self::Change(error) => error.code(),
        }
    }
}

impl Coded for ChangeError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotLeader { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Self::Duplicate { .. } => ErrorCode::DUPLICATE_VOTER,
            Self::NotFound { .. } => ErrorCode::VOTER_NOT_FOUND,
            Self::LastVoter { .. } => ErrorCode::INVALID_REQUEST,
            Self::InProgress | Self::Lagging { .. } | Self::Full { .. } | Self::TimedOut | Self::Unknown => {
                ErrorCode::REQUEST_TIMED_OUT
            }
            Self::Stopped(_) => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}
