//! Kafka's error codes.

use std::fmt;

/// An error code as it is on the wire. Codes of newer versions are kept as they are.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i16);

impl ErrorCode {
    /// The code itself.
    pub const fn code(self) -> i16 {
        self.0
    }

    /// Whether this is [`ErrorCode::NONE`].
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether there is an error.
    pub const fn is_error(self) -> bool {
        self.0 != 0
    }

    /// Kafka's name for it, or `UNKNOWN` for a code of a newer version.
    pub fn name(self) -> &'static str {
        self.row().map_or("UNKNOWN", |row| row.name)
    }

    /// Whether the same request may succeed later (Kafka: `RetriableException`).
    pub fn is_retriable(self) -> bool {
        self.row().is_some_and(|row| row.retriable)
    }

    /// What it means, when there is nothing more precise to tell.
    pub fn message(self) -> &'static str {
        self.row().map_or("an error that this version does not know", |row| row.message)
    }

    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.code)
    }

    /// Every code that Kafka 4.4 has, in ascending order.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.code)
    }

    fn row(self) -> Option<&'static Row> {
        // The table starts at −1 and has no gaps; a test holds that.
        ROWS.get(usize::try_from(i32::from(self.0) + 1).ok()?)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.name(), self.0, self.message())
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}

impl From<i16> for ErrorCode {
    fn from(code: i16) -> Self {
        Self(code)
    }
}

struct Row {
    code: ErrorCode,
    name: &'static str,
    retriable: bool,
    message: &'static str,
}

macro_rules! error_codes {
    ($($code:literal $name:ident $retriable:ident $message:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!("`", stringify!($code), "`: ", $message, ".")]
            pub const $name: Self = Self($code);)*
        }

        static ROWS: &[Row] = &[$(Row {
            code: ErrorCode::$name,
            name: stringify!($name),
            retriable: error_codes!(@ $retriable),
            message: $message,
        }),*];
    };
    (@ retriable) => { true };
    (@ fatal) => { false };
}

// `retriable` is a fact of Kafka's `Errors`; the words are ours.
error_codes! {
    -1 UNKNOWN_SERVER_ERROR fatal "the broker failed in a way that it did not foresee; its log says more";
    0 NONE fatal "no error";
    1 OFFSET_OUT_OF_RANGE fatal "the partition has no such offset";
    2 CORRUPT_MESSAGE retriable "the records fail their checksum, are too large or lack a key that a compacted topic needs";
    3 UNKNOWN_TOPIC_OR_PARTITION retriable "the broker has no such topic or partition";
    4 INVALID_FETCH_SIZE fatal "the fetch size is not valid";
    5 LEADER_NOT_AVAILABLE retriable "the partition has no leader for the moment";
    6 NOT_LEADER_OR_FOLLOWER retriable "the broker does not lead this partition, or holds no replica of it";
    7 REQUEST_TIMED_OUT retriable "the request took longer than its timeout";
    8 BROKER_NOT_AVAILABLE fatal "the broker is not available";
    9 REPLICA_NOT_AVAILABLE retriable "the replica is not available";
    10 MESSAGE_TOO_LARGE fatal "a record batch is larger than the topic's max.message.bytes";
    11 STALE_CONTROLLER_EPOCH fatal "the controller has moved to another node";
    12 OFFSET_METADATA_TOO_LARGE fatal "the metadata of the offset is longer than offset.metadata.max.bytes";
    13 NETWORK_EXCEPTION retriable "the connection was lost before the response came";
    14 COORDINATOR_LOAD_IN_PROGRESS retriable "the coordinator is still loading its state";
    15 COORDINATOR_NOT_AVAILABLE retriable "the coordinator is not available";
    16 NOT_COORDINATOR retriable "the broker does not coordinate this group or transactional id";
    17 INVALID_TOPIC_EXCEPTION fatal "no topic can have this name, or the topic may not be used so";
    18 RECORD_LIST_TOO_LARGE fatal "the record batch is larger than a log segment";
    19 NOT_ENOUGH_REPLICAS retriable "the partition has fewer in-sync replicas than min.insync.replicas";
    20 NOT_ENOUGH_REPLICAS_AFTER_APPEND retriable "the records were written, but to fewer replicas than min.insync.replicas";
    21 INVALID_REQUIRED_ACKS fatal "acks is none of -1, 0 and 1";
    22 ILLEGAL_GENERATION fatal "the group has moved on to another generation";
    23 INCONSISTENT_GROUP_PROTOCOL fatal "the member shares no protocol with the group, or gives no protocol at all";
    24 INVALID_GROUP_ID fatal "no group can have this id";
    25 UNKNOWN_MEMBER_ID fatal "the group has no such member";
    26 INVALID_SESSION_TIMEOUT fatal "the session timeout is outside of group.min.session.timeout.ms to group.max.session.timeout.ms";
    27 REBALANCE_IN_PROGRESS fatal "the group rebalances; join again";
    28 INVALID_COMMIT_OFFSET_SIZE fatal "the committed offset does not fit into a record";
    29 TOPIC_AUTHORIZATION_FAILED fatal "the principal may not do this with the topic";
    30 GROUP_AUTHORIZATION_FAILED fatal "the principal may not do this with the group";
    31 CLUSTER_AUTHORIZATION_FAILED fatal "the principal may not do this with the cluster";
    32 INVALID_TIMESTAMP fatal "the timestamp is too far from the broker's clock";
    33 UNSUPPORTED_SASL_MECHANISM fatal "the listener does not offer this SASL mechanism";
    34 ILLEGAL_SASL_STATE fatal "the request does not fit the state of the SASL exchange";
    35 UNSUPPORTED_VERSION fatal "the broker does not know this version of the request";
    36 TOPIC_ALREADY_EXISTS fatal "the topic exists";
    37 INVALID_PARTITIONS fatal "the number of partitions is not valid";
    38 INVALID_REPLICATION_FACTOR fatal "the replication factor is below 1 or above the number of brokers";
    39 INVALID_REPLICA_ASSIGNMENT fatal "the replica assignment is not valid";
    40 INVALID_CONFIG fatal "the configuration is not valid";
    41 NOT_CONTROLLER retriable "the node is not the active controller";
    42 INVALID_REQUEST fatal "the request contradicts itself or the protocol";
    43 UNSUPPORTED_FOR_MESSAGE_FORMAT fatal "the stored message format does not support the request";
    44 POLICY_VIOLATION fatal "a policy of the cluster forbids the request";
    45 OUT_OF_ORDER_SEQUENCE_NUMBER fatal "the sequence number does not follow the producer's last one";
    46 DUPLICATE_SEQUENCE_NUMBER fatal "the sequence number was seen before";
    47 INVALID_PRODUCER_EPOCH fatal "a newer epoch of the producer exists";
    48 INVALID_TXN_STATE fatal "the transaction's state does not allow this";
    49 INVALID_PRODUCER_ID_MAPPING fatal "the producer id does not belong to the transactional id";
    50 INVALID_TRANSACTION_TIMEOUT fatal "the timeout is above transaction.max.timeout.ms";
    51 CONCURRENT_TRANSACTIONS retriable "another operation on the same transaction is in progress";
    52 TRANSACTION_COORDINATOR_FENCED fatal "the transaction coordinator that asks is no longer the current one";
    53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED fatal "the principal may not use the transactional id";
    54 SECURITY_DISABLED fatal "the cluster has no authorizer";
    55 OPERATION_NOT_ATTEMPTED fatal "the operation was not attempted because another one of the request failed";
    56 KAFKA_STORAGE_ERROR retriable "the broker cannot use the disk that holds the partition";
    57 LOG_DIR_NOT_FOUND fatal "the broker has no such log directory";
    58 SASL_AUTHENTICATION_FAILED fatal "the credentials were refused";
    59 UNKNOWN_PRODUCER_ID fatal "the broker knows nothing of this producer id any more";
    60 REASSIGNMENT_IN_PROGRESS fatal "the partition is being reassigned";
    61 DELEGATION_TOKEN_AUTH_DISABLED fatal "delegation tokens are not enabled";
    62 DELEGATION_TOKEN_NOT_FOUND fatal "there is no such delegation token";
    63 DELEGATION_TOKEN_OWNER_MISMATCH fatal "the principal neither owns nor may renew the token";
    64 DELEGATION_TOKEN_REQUEST_NOT_ALLOWED fatal "delegation tokens cannot be handled over this kind of connection";
    65 DELEGATION_TOKEN_AUTHORIZATION_FAILED fatal "the principal may not do this with the delegation token";
    66 DELEGATION_TOKEN_EXPIRED fatal "the delegation token has expired";
    67 INVALID_PRINCIPAL_TYPE fatal "this type of principal is not supported";
    68 NON_EMPTY_GROUP fatal "the group has members";
    69 GROUP_ID_NOT_FOUND fatal "the group does not exist";
    70 FETCH_SESSION_ID_NOT_FOUND retriable "the broker has no such fetch session";
    71 INVALID_FETCH_SESSION_EPOCH retriable "the fetch session is at another epoch";
    72 LISTENER_NOT_FOUND retriable "the leader has no listener of the name that the request came through";
    73 TOPIC_DELETION_DISABLED fatal "delete.topic.enable is false";
    74 FENCED_LEADER_EPOCH retriable "the request comes from before the last leader election";
    75 UNKNOWN_LEADER_EPOCH retriable "the request knows of a leader election that the broker has not seen";
    76 UNSUPPORTED_COMPRESSION_TYPE fatal "the version of the request cannot carry the compression of the records";
    77 STALE_BROKER_EPOCH fatal "the broker has registered again since";
    78 OFFSET_NOT_AVAILABLE retriable "the new leader does not know the high watermark yet";
    79 MEMBER_ID_REQUIRED fatal "join again with the member id of this response";
    80 PREFERRED_LEADER_NOT_AVAILABLE retriable "the preferred leader is not available";
    81 GROUP_MAX_SIZE_REACHED fatal "the group has group.max.size members";
    82 FENCED_INSTANCE_ID fatal "another member took over the group.instance.id";
    83 ELIGIBLE_LEADERS_NOT_AVAILABLE retriable "no replica that could lead is available";
    84 ELECTION_NOT_NEEDED retriable "the partition has the leader it should have";
    85 NO_REASSIGNMENT_IN_PROGRESS fatal "the partition is not being reassigned";
    86 GROUP_SUBSCRIBED_TO_TOPIC fatal "the group is subscribed to the topic";
    87 INVALID_RECORD fatal "a record is not valid";
    88 UNSTABLE_OFFSET_COMMIT retriable "transactions that could change the offsets are open";
    89 THROTTLING_QUOTA_EXCEEDED retriable "the quota is used up; retry later";
    90 PRODUCER_FENCED fatal "a newer producer with the same transactional id exists";
    91 RESOURCE_NOT_FOUND fatal "there is no such resource";
    92 DUPLICATE_RESOURCE fatal "the request names a resource twice";
    93 UNACCEPTABLE_CREDENTIAL fatal "the credential is not acceptable";
    94 INCONSISTENT_VOTER_SET fatal "the sender or receiver is no voter";
    95 INVALID_UPDATE_VERSION fatal "the update version is not valid";
    96 FEATURE_UPDATE_FAILED fatal "the features could not be updated";
    97 PRINCIPAL_DESERIALIZATION_FAILURE fatal "the forwarded principal is not readable";
    98 SNAPSHOT_NOT_FOUND fatal "there is no such snapshot";
    99 POSITION_OUT_OF_RANGE fatal "the position is outside of the snapshot";
    100 UNKNOWN_TOPIC_ID retriable "the broker has no topic of this id";
    101 DUPLICATE_BROKER_REGISTRATION fatal "another running broker has this id";
    102 BROKER_ID_NOT_REGISTERED fatal "no broker of this id is registered";
    103 INCONSISTENT_TOPIC_ID retriable "the partition's topic has another id";
    104 INCONSISTENT_CLUSTER_ID fatal "the broker belongs to another cluster";
    105 TRANSACTIONAL_ID_NOT_FOUND fatal "there is no such transactional id";
    106 FETCH_SESSION_TOPIC_ID_ERROR retriable "the fetch session mixes topic names and topic ids";
    107 INELIGIBLE_REPLICA fatal "a replica that may not join the in-sync replicas was proposed";
    108 NEW_LEADER_ELECTED fatal "the change was made, and another broker leads the partition now";
    109 OFFSET_MOVED_TO_TIERED_STORAGE fatal "the offset is in tiered storage";
    110 FENCED_MEMBER_EPOCH fatal "the member was fenced; give up all partitions and join again";
    111 UNRELEASED_INSTANCE_ID fatal "another member still holds the group.instance.id";
    112 UNSUPPORTED_ASSIGNOR fatal "the group does not support the assignor";
    113 STALE_MEMBER_EPOCH fatal "the member is at an older epoch; retry with the one of the next heartbeat";
    114 MISMATCHED_ENDPOINT_TYPE fatal "the request was sent to a broker instead of a controller, or the reverse";
    115 UNSUPPORTED_ENDPOINT_TYPE fatal "this type of endpoint is not supported";
    116 UNKNOWN_CONTROLLER_ID fatal "there is no such controller";
    117 UNKNOWN_SUBSCRIPTION_ID fatal "the telemetry subscription is not valid any more";
    118 TELEMETRY_TOO_LARGE fatal "the telemetry is larger than telemetry.max.bytes";
    119 INVALID_REGISTRATION fatal "the controller refuses the broker's registration";
    120 TRANSACTION_ABORTABLE fatal "the transaction failed and must be aborted; the transactional id stays usable";
    121 INVALID_RECORD_STATE fatal "the record is not in a state that allows this acknowledgement";
    122 SHARE_SESSION_NOT_FOUND retriable "there is no such share session";
    123 INVALID_SHARE_SESSION_EPOCH retriable "the share session is at another epoch";
    124 FENCED_STATE_EPOCH fatal "the share state is at another epoch";
    125 INVALID_VOTER_KEY fatal "the voter's key is another one";
    126 DUPLICATE_VOTER fatal "the node is a voter";
    127 VOTER_NOT_FOUND fatal "the node is no voter";
    128 INVALID_REGULAR_EXPRESSION fatal "the regular expression is not valid";
    129 REBOOTSTRAP_REQUIRED fatal "the client's view of the cluster is too old; start from bootstrap.servers again";
    130 STREAMS_INVALID_TOPOLOGY fatal "the streams topology is not valid";
    131 STREAMS_INVALID_TOPOLOGY_EPOCH fatal "the epoch of the streams topology is not valid";
    132 STREAMS_TOPOLOGY_FENCED fatal "the streams topology is older than the group's";
    133 SHARE_SESSION_LIMIT_REACHED retriable "the broker has no room for another share session";
    134 GROUP_DELETION_FAILED fatal "the group was not deleted; the group's own message says why";
    135 STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED fatal "the topology description was not taken; the message says why";
    136 CONTROLLER_ID_NOT_REGISTERED fatal "no controller of this id is registered";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_without_gaps() {
        for (row, code) in ROWS.iter().zip(-1..) {
            assert_eq!(row.code.0, code, "{}", row.name);
        }
    }

    #[test]
    fn names_lead_back_to_codes() {
        for code in ErrorCode::all() {
            assert_eq!(ErrorCode::from_name(code.name()), Some(code));
        }
    }

    #[test]
    fn newer_codes_are_kept() {
        for code in [i16::MIN, -2, 9999, i16::MAX] {
            assert_eq!(ErrorCode(code).name(), "UNKNOWN");
            assert!(!ErrorCode(code).is_retriable());
        }
    }
}
