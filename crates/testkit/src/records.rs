//! Producing and fetching by raw protocol.

use bytes::Bytes;
use ottla_protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use ottla_protocol::messages::init_producer_id::InitProducerIdRequest;
use ottla_protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use ottla_protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use ottla_protocol::{ErrorCode, FetchedRecords, Uuid};

use crate::batch::values_of;
use crate::{RawClient, eventually};

/// `acks` of a produce request: all in-sync replicas.
pub const ACKS_ALL: i16 = -1;
/// `acks` of a produce request: the leader.
pub const ACKS_LEADER: i16 = 1;
/// `acks` of a produce request: no answer.
pub const ACKS_NONE: i16 = 0;
/// ListOffsets' timestamp for the end of what consumers may read.
pub const LATEST: i64 = -1;
/// ListOffsets' timestamp for the log's start.
pub const EARLIEST: i64 = -2;

/// The answer for one partition.
pub type Produced = PartitionProduceResponse;

/// Where and how to fetch one partition.
#[derive(Clone, Copy, Debug)]
pub struct FetchAt<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// From which offset.
    pub offset: i64,
    /// How long to wait for something.
    pub max_wait_ms: i32,
}

impl<'a> FetchAt<'a> {
    /// Partition 0, without waiting.
    pub const fn new(topic: &'a str, offset: i64) -> Self {
        Self { topic, partition: 0, offset, max_wait_ms: 0 }
    }

    /// The request, up to version 12 (topics by name), outside of a session.
    pub fn to_request(&self) -> FetchRequest {
        fetch_request(self, Uuid::ZERO)
    }

    /// The request from version 13 on.
    pub fn to_request_by_id(&self, id: Uuid) -> FetchRequest {
        fetch_request(self, id)
    }
}

fn fetch_request(at: &FetchAt<'_>, topic_id: Uuid) -> FetchRequest {
    let partition = FetchPartition {
        partition: at.partition,
        fetch_offset: at.offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms: at.max_wait_ms,
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: at.topic.into(),
            topic_id,
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A produce request of one batch, up to version 12 (topics by name).
pub fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    produce_request_by_id(topic, Uuid::ZERO, partition, acks, records)
}

/// A produce request of one batch from version 13 on.
pub fn produce_request_by_id(
    topic: &str,
    topic_id: Uuid,
    partition: i32,
    acks: i16,
    records: Bytes,
) -> ProduceRequest {
    let partition = PartitionProduceData { index: partition, records: Some(records), ..Default::default() };
    ProduceRequest {
        acks,
        timeout_ms: 10_000,
        topic_data: [TopicProduceData {
            name: topic.into(),
            topic_id,
            partition_data: [partition].into(),
            ..Default::default()
        }]
        .into(),
        ..Default::default()
    }
}

impl RawClient {
    /// Appends a batch to partition 0 with acks=all; returns its base offset.
    pub fn produce(&mut self, topic: &str, records: Bytes) -> i64 {
        let produced = self.try_produce(topic, 0, ACKS_ALL, records);
        assert_eq!(produced.error_code, ErrorCode::NONE, "{produced:?}");
        produced.base_offset
    }

    /// Appends a batch and returns the answer. Not for acks=0, which has none.
    pub fn try_produce(&mut self, topic: &str, partition: i32, acks: i16, records: Bytes) -> Produced {
        let request = produce_request(topic, partition, acks, records);
        self.call(9, &request).responses.remove(0).partition_responses.remove(0)
    }

    /// Sends an append of acks to partition 0 and does not wait; returns the correlation id.
    pub fn send_produce(&mut self, topic: &str, acks: i16, records: Bytes) -> i32 {
        self.send(9, &produce_request(topic, 0, acks, records))
    }

    /// The answer to a [`RawClient::send_produce`].
    pub fn receive_produced(&mut self, correlation_id: i32) -> Produced {
        self.receive::<ProduceRequest>(9, correlation_id).responses.remove(0).partition_responses.remove(0)
    }

    /// Fetches one partition.
    pub fn fetch(&mut self, at: FetchAt<'_>) -> PartitionData {
        let response = self.call(11, &at.to_request());
        assert_eq!(response.error_code, ErrorCode::NONE);
        only_partition(response.responses)
    }

    /// The values of everything in partition 0 from `offset` to the high watermark.
    pub fn read_values(&mut self, topic: &str, offset: i64) -> Vec<String> {
        self.read_all(topic, 0, offset).iter().flat_map(values_of).collect()
    }

    /// All that a consumer may read of a partition from `offset` on, as it was fetched.
    pub fn read_all(&mut self, topic: &str, partition: i32, offset: i64) -> Vec<Bytes> {
        let (mut next, mut all) = (offset, Vec::new());
        loop {
            let data = self.fetch(FetchAt { partition, ..FetchAt::new(topic, next) });
            assert_eq!(data.error_code, ErrorCode::NONE, "{topic}-{partition} at {next}");
            let records = bytes_of(&data);
            match crate::batch::records_of(&records).last() {
                Some(last) => next = last.offset.0 + 1,
                None => return all,
            }
            all.push(records);
        }
    }

    /// Looks an offset of partition 0 up.
    pub fn list_offset(&mut self, topic: &str, timestamp: i64) -> ListOffsetsPartitionResponse {
        self.list_offset_of(topic, 0, timestamp)
    }

    /// Looks an offset up.
    pub fn list_offset_of(
        &mut self,
        topic: &str,
        partition: i32,
        timestamp: i64,
    ) -> ListOffsetsPartitionResponse {
        let partition = ListOffsetsPartition { partition_index: partition, timestamp, ..Default::default() };
        let topic =
            ListOffsetsTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        self.call(7, &request).topics.remove(0).partitions.remove(0)
    }

    /// A new producer id, of epoch 0. Waits until the broker has been given some.
    pub fn init_producer_id(&mut self) -> i64 {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        eventually("no producer ids", || {
            let response = self.call(4, &request);
            match response.error_code {
                ErrorCode::NONE => Some(response.producer_id),
                ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => None,
                error => panic!("InitProducerId: {error:?}"),
            }
        })
    }
}

fn only_partition(topics: Vec<ottla_protocol::messages::fetch::FetchableTopicResponse>) -> PartitionData {
    let mut partitions: Vec<PartitionData> = topics.into_iter().flat_map(|topic| topic.partitions).collect();
    assert_eq!(partitions.len(), 1);
    partitions.remove(0)
}

/// The records of a fetched partition.
pub fn bytes_of(data: &PartitionData) -> Bytes {
    data.records.as_ref().and_then(FetchedRecords::bytes).cloned().unwrap_or_default()
}

/// The answer to a [`RawClient::send_produce`] from its frame, and the correlation id.
pub fn decode_produced(frame: Bytes) -> Result<(i32, Produced), ottla_protocol::DecodeError> {
    let (id, mut response) = ottla_protocol::frame::decode_response::<
        ottla_protocol::messages::produce::ProduceResponse,
    >(frame, 9)?;
    Ok((id, response.responses.remove(0).partition_responses.remove(0)))
}
