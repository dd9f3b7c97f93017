//! Who talks to whom, and about what: Kafka's inter-broker and client requests, as the values that handlers see.

use ottla_broker::{BarePosition, BareRead, Refused};
use ottla_metadata::image::PartitionImage;
use ottla_metadata::plan::{
    AlterPartition, AlterPartitionError, Heartbeat, HeartbeatAnswer, Registration, StaleBrokerEpoch,
};
use ottla_types::{BrokerEpoch, Bytes, LeaderEpoch, NodeId, Offset};

/// A part of a host that takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Address {
    Broker(i32),
    Controller(i32),
    Client(i32),
}

impl Address {
    /// The host that it lives on: broker and controller of a node share one, as in combined mode.
    pub(crate) const fn host(self) -> i32 {
        match self {
            Self::Broker(id) | Self::Controller(id) => id,
            Self::Client(id) => 100 + id,
        }
    }
}

/// A message, and the call that it is part of.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) call: u64,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Request(Request),
    Response(Response),
}

/// Partitions are called by their numbers.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Register(Box<Registration>),
    Heartbeat(Heartbeat),
    AlterPartition { broker: NodeId, epoch: BrokerEpoch, wish: AlterPartition },
    FetchMetadata { after: Offset },
    Produce { partition: i32, records: Bytes, all: bool, idempotent: bool },
    FollowerFetch { partition: i32, id: NodeId, epoch: BrokerEpoch, position: BarePosition },
    LogStart { partition: i32, epoch: LeaderEpoch },
    ConsumerFetch { partition: i32, epoch: LeaderEpoch, from: Offset },
    Metadata,
}

#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// And who is, as far as is known.
    NotController(Option<i32>),
    Registered(Result<BrokerEpoch, String>),
    Heartbeat(Result<HeartbeatAnswer, StaleBrokerEpoch>),
    AlterPartition(Result<Box<Result<PartitionImage, AlterPartitionError>>, StaleBrokerEpoch>),
    Metadata {
        batches: Vec<Bytes>,
        leader: Option<i32>,
    },
    Produced(Result<Offset, Failure>),
    Fetched(Result<BareRead, Refused>),
    LogStart(Result<Offset, Refused>),
    /// Of each partition, with the epoch.
    Leaders(Vec<(i32, NodeId, LeaderEpoch)>),
}

/// Why a batch is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was not appended.
    Refused(Refused),
    /// A sequence number does not follow. Whether the leader that says so is the one that the controllers have committed: one that
    /// another was preferred to may lack what was acknowledged since, until its lease is over. Then, or if it was fenced, it must not
    /// answer at all, which is a rule.
    OutOfOrder { is_current: bool },
    /// It may have been.
    Unknown(String),
}

impl Message {
    /// Whether the network may bring it twice: what a client without idempotence sends once must come once, as over TCP.
    pub(crate) const fn may_come_twice(&self) -> bool {
        !matches!(self.body, Body::Request(Request::Produce { idempotent: false, .. }))
    }

    /// For the trace.
    pub(crate) fn name(&self) -> String {
        match &self.body {
            Body::Request(Request::Register(_)) => "Register".to_owned(),
            Body::Request(Request::Produce { partition, records, all, .. }) => {
                format!("Produce({partition}, {} bytes, all: {all})", records.len())
            }
            Body::Request(request) => format!("{request:?}"),
            Body::Response(Response::Metadata { batches, .. }) => format!("{} batches", batches.len()),
            Body::Response(Response::Fetched(Ok(read))) => format!(
                "Fetched({} bytes, HW {}, LEO {}, diverging {:?})",
                read.records.len(),
                read.high_watermark,
                read.log_end_offset,
                read.diverging
            ),
            Body::Response(response) => format!("{response:?}"),
        }
    }
}
