//! Produce: appends one batch to each partition named.
//!
//! acks=0 gets no response, acks=1 one as soon as the leader's log has the records, acks=all when the high watermark has
//! passed them: on all in-sync replicas, and on their disks in the default durability mode. [`start`] appends, in the order
//! of arrival; only the wait for acknowledgements comes after it ([`finish`]), so many requests of one connection can be in
//! flight. Version 13 names topics by id. From 8 on an error names the records that caused it; from
//! 10 on NOT_LEADER_OR_FOLLOWER says who leads (KIP-951).
//!
//! Errors, per partition: INVALID_REQUIRED_ACKS, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_LEADER_OR_FOLLOWER,
//! NOT_ENOUGH_REPLICAS(_AFTER_APPEND), REQUEST_TIMED_OUT, INVALID_TOPIC_EXCEPTION for internal topics, KAFKA_STORAGE_ERROR, and what
//! `error_codes/storage.rs` lists for appends. A transactional batch: INVALID_TXN_STATE, as there are no transactions yet.

use std::time::Duration;

use ottla_protocol::messages::produce::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceData,
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use ottla_protocol::{ErrorCode, Few, Records};
use ottla_records::{BatchHeader, Codec};
use ottla_server::{Answer, RequestContext, Started};
use ottla_storage::AppendError;
use ottla_types::{ByteString, Detach, PartitionIndex, TopicId, TopicName};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Broker;
use crate::error_codes::ToErrorCode;
use crate::replica_manager::{AckOutcome, Acks, PartitionError};

const TOPIC_IDS_FROM: i16 = 13;
/// The first version that may carry zstd (KIP-110).
const ZSTD_FROM: i16 = 7;
/// The first version whose answers say who leads.
const LEADERS_FROM: i16 = 10;

/// An acknowledgement that is still to come, and the place of its answer in the response.
struct Awaited {
    topic: usize,
    partition: usize,
    done: oneshot::Receiver<AckOutcome>,
}

/// A request whose batches are appended and not yet acknowledged.
pub(crate) struct Appending {
    response: ProduceResponse,
    awaited: Few<Awaited>,
    acks: i16,
    deadline: Instant,
}

/// Appends.
pub(crate) fn start(
    broker: &Broker,
    cx: &RequestContext,
    request: ProduceRequest,
) -> Started<Answer<ProduceResponse>, Appending> {
    let deadline = Instant::now() + Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let acks = request.acks;
    let mut awaited = Few::new();
    let mut response = ProduceResponse {
        responses: request
            .topic_data
            .into_iter()
            .enumerate()
            .map(|(topic, data)| append_topic(broker, cx, request.acks, topic, data, &mut awaited))
            .collect(),
        ..Default::default()
    };
    if awaited.is_empty() {
        return Started::Answered(answer(broker, cx, acks, response));
    }
    for topic in &mut response.responses {
        topic.name = topic.name.detach();
    }
    Started::Waits(Appending { response, awaited, acks, deadline })
}

/// Waits until what was appended is acknowledged.
pub(crate) async fn finish(
    broker: &Broker,
    cx: &RequestContext,
    appending: Appending,
) -> Answer<ProduceResponse> {
    let Appending { mut response, awaited, acks, deadline } = appending;
    for Awaited { topic, partition, done } in awaited {
        let error = match tokio::time::timeout_at(deadline, done).await {
            Ok(Ok(outcome)) => outcome.to_error_code(),
            // The partition is gone, with its waiters.
            Ok(Err(_)) => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            Err(_) => ErrorCode::REQUEST_TIMED_OUT,
        };
        if error != ErrorCode::NONE
            && let Some(answer) = response
                .responses
                .get_mut(topic)
                .and_then(|topic| topic.partition_responses.get_mut(partition))
        {
            *answer = PartitionProduceResponse { index: answer.index, ..refused(error, None) };
        }
    }
    answer(broker, cx, acks, response)
}

fn answer(
    broker: &Broker,
    cx: &RequestContext,
    acks: i16,
    mut response: ProduceResponse,
) -> Answer<ProduceResponse> {
    if acks == 0 {
        return unanswered(&response);
    }
    if cx.version >= LEADERS_FROM {
        name_leaders(broker, cx, &mut response);
    }
    Answer::Response(response)
}

/// Nobody reads an answer to acks=0: a client learns of an error by losing its connection.
fn unanswered(response: &ProduceResponse) -> Answer<ProduceResponse> {
    let failed = response.responses.iter().find_map(|topic| {
        let failed = topic.partition_responses.iter().find(|answer| answer.error_code != ErrorCode::NONE)?;
        Some((&topic.name, failed))
    });
    match failed {
        None => Answer::Silence,
        Some((topic, answer)) => Answer::Close {
            reason: format!(
                "produce with acks=0 to {topic}-{} failed: {:?}",
                answer.index, answer.error_code
            ),
        },
    }
}

fn append_topic(
    broker: &Broker,
    cx: &RequestContext,
    acks: i16,
    topic: usize,
    data: TopicProduceData,
    awaited: &mut Few<Awaited>,
) -> TopicProduceResponse {
    let by_id = cx.version >= TOPIC_IDS_FROM;
    let name =
        if by_id { broker.topic_name(data.topic_id) } else { Some(TopicName::from(data.name.clone())) };
    let topic_id = data.topic_id;
    let partition_responses = data
        .partition_data
        .into_iter()
        .enumerate()
        .map(|(partition, data)| {
            let index = data.index;
            let appended = match &name {
                Some(name) => append(broker, cx, acks, name, by_id.then_some(topic_id), data),
                None => Err(PartitionError::UnknownTopicId.into()),
            };
            match appended {
                Ok((answer, done)) => {
                    awaited.extend(done.map(|done| Awaited { topic, partition, done }));
                    answer
                }
                Err(Refusal { code, error }) => PartitionProduceResponse { index, ..refused(code, error) },
            }
        })
        .collect();
    TopicProduceResponse {
        name: data.name,
        topic_id: data.topic_id,
        partition_responses,
        ..Default::default()
    }
}

type Appended = (PartitionProduceResponse, Option<oneshot::Receiver<AckOutcome>>);

struct Refusal {
    code: ErrorCode,
    error: Option<PartitionError>,
}

impl From<PartitionError> for Refusal {
    fn from(error: PartitionError) -> Self {
        Self { code: error.to_error_code(), error: Some(error) }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, error: None }
    }
}

fn append(
    broker: &Broker,
    cx: &RequestContext,
    acks: i16,
    topic: &TopicName,
    topic_id: Option<TopicId>,
    data: PartitionProduceData,
) -> Result<Appended, Refusal> {
    let acks = match acks {
        -1 => Acks::All,
        0 | 1 => Acks::Leader,
        _ => return Err(ErrorCode::INVALID_REQUIRED_ACKS.into()),
    };
    if topic.is_internal() {
        return Err(ErrorCode::INVALID_TOPIC_EXCEPTION.into());
    }
    let records: Records = data.records.unwrap_or_default();
    // What is no batch is refused by the log.
    if let Ok(header) = BatchHeader::parse(&records) {
        if cx.version < ZSTD_FROM && matches!(header.attributes.codec(), Ok(Codec::Zstd)) {
            return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE.into());
        }
        // Nothing could end its transaction, and read_committed would stop there for ever.
        if header.attributes.is_transactional() {
            return Err(PartitionError::NoTransactions.into());
        }
    }
    let index = PartitionIndex(data.index);
    let partition = match topic_id {
        Some(id) => broker.partition_by_id(topic.as_str(), id, index)?,
        None => broker.partition(topic.as_str(), index)?,
    };
    let appended = partition.append(records, acks)?;
    let answer = PartitionProduceResponse {
        index: data.index,
        base_offset: appended.base_offset.0,
        log_append_time_ms: appended.log_append_time_ms,
        log_start_offset: appended.log_start_offset.0,
        ..Default::default()
    };
    Ok((answer, appended.acknowledged))
}

fn refused(error_code: ErrorCode, error: Option<PartitionError>) -> PartitionProduceResponse {
    let record_errors = match &error {
        Some(PartitionError::Append(
            AppendError::InvalidRecord { record_errors, .. }
            | AppendError::InvalidTimestamp { record_errors, .. },
        )) => record_errors
            .iter()
            .map(|record| BatchIndexAndErrorMessage {
                batch_index: record.batch_index,
                batch_index_error_message: Some(ByteString::from(record.message.as_str())),
                ..Default::default()
            })
            .collect(),
        _ => Vec::new(),
    };
    PartitionProduceResponse {
        error_code,
        base_offset: -1,
        record_errors,
        error_message: error.map(|error| ByteString::from(error.to_string())),
        ..Default::default()
    }
}

/// Tells whoever asked the wrong broker who leads (KIP-951).
fn name_leaders(broker: &Broker, cx: &RequestContext, response: &mut ProduceResponse) {
    let mut named = super::LeaderHints::default();
    for topic in &mut response.responses {
        for partition in &mut topic.partition_responses {
            if let Some((leader_id, leader_epoch)) =
                named.find(broker, cx, partition.error_code, &topic.name, topic.topic_id, partition.index)
            {
                partition.current_leader = LeaderIdAndEpoch { leader_id, leader_epoch, ..Default::default() };
            }
        }
    }
    response.node_endpoints = named
        .endpoints(&broker.image(), cx)
        .map(|(node_id, host, port, rack)| NodeEndpoint { node_id, host, port, rack, ..Default::default() })
        .collect();
}
