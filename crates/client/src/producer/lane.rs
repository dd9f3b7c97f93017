//! The requests of one producer to one broker, sent in order and answered whenever.

use std::collections::HashMap;
use std::sync::Arc;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use ottla_types::{ByteString, NodeId, Offset, TopicName, TopicPartition, Uuid};
use tokio::sync::mpsc;

use super::accumulator::{Attempt, Ready};
use super::batch::Batch;
use super::config::{Acks, ProducerConfig};
use super::delivery::Written;
use crate::cluster::Cluster;
use crate::{ClientError, Result};

/// How one request went, batch by batch.
pub(super) struct Completion {
    pub(super) node: NodeId,
    pub(super) attempts: Vec<(TopicPartition, Batch, Attempt)>,
}

/// Starts the task that sends to `node`. It ends when its sender goes.
pub(super) fn start(
    cluster: Arc<Cluster>,
    config: &ProducerConfig,
    node: NodeId,
    completions: mpsc::Sender<Completion>,
) -> mpsc::Sender<Vec<Ready>> {
    // The caller keeps to the number of requests in flight, so this never fills.
    let (sender, mut requests) = mpsc::channel::<Vec<Ready>>(config.max_in_flight);
    let acks = config.acks;
    tokio::spawn(async move {
        while let Some(ready) = requests.recv().await {
            let request = request(&cluster, acks, &ready);
            let names: Names = request.topic_data.iter().map(|t| (t.topic_id, t.name.clone())).collect();
            let sent = send(&cluster, node, acks, &request).await;
            let completions = completions.clone();
            match sent {
                // Its answer is awaited aside, so that the next request can go out.
                Ok(Some(answer)) => drop(tokio::spawn(async move {
                    let result = answer.await;
                    report(completions, node, attempts(ready, &names, result)).await;
                })),
                Ok(None) => report(completions, node, unanswered(ready)).await,
                Err(e) => report(completions, node, attempts(ready, &names, Err(e))).await,
            }
        }
    });
    sender
}

async fn report(to: mpsc::Sender<Completion>, node: NodeId, attempts: Vec<(TopicPartition, Batch, Attempt)>) {
    // A producer that is gone needs no report: its batches close as they drop.
    let _ = to.send(Completion { node, attempts }).await;
}

type Names = HashMap<Uuid, ByteString>;

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<ProduceResponse>> + Send>>;

async fn send(
    cluster: &Cluster,
    node: NodeId,
    acks: Acks,
    request: &ProduceRequest,
) -> Result<Option<Answer>> {
    let connection = cluster.broker(node).await?;
    if acks == Acks::None {
        connection.send_unanswered(request).await?;
        return Ok(None);
    }
    let reply = connection.send(request, cluster.config.request_timeout).await?;
    Ok(Some(Box::pin(async move { connection.receive::<ProduceRequest>(reply).await })))
}

fn request(cluster: &Cluster, acks: Acks, ready: &[Ready]) -> ProduceRequest {
    let metadata = cluster.metadata();
    let mut topics: HashMap<&TopicName, TopicProduceData> = HashMap::new();
    for batch in ready {
        let name = &batch.partition.topic;
        let topic = topics.entry(name).or_insert_with(|| TopicProduceData {
            name: ByteString::from(name.clone()),
            topic_id: metadata.topic(name).map_or(Uuid::ZERO, |t| t.id),
            ..TopicProduceData::default()
        });
        topic.partition_data.push(PartitionProduceData {
            index: batch.partition.partition.0,
            records: Some(batch.bytes.clone()),
            ..PartitionProduceData::default()
        });
    }
    let timeout_ms = i32::try_from(cluster.config.request_timeout.as_millis()).unwrap_or(i32::MAX);
    ProduceRequest {
        acks: acks.wire(),
        timeout_ms,
        topic_data: topics.into_values().collect(),
        ..ProduceRequest::default()
    }
}

fn unanswered(ready: Vec<Ready>) -> Vec<(TopicPartition, Batch, Attempt)> {
    let written = Written { base_offset: None, append_time: None };
    ready.into_iter().map(|r| (r.partition, r.batch, Attempt::Written(written))).collect()
}

fn attempts(
    ready: Vec<Ready>,
    names: &Names,
    result: Result<ProduceResponse>,
) -> Vec<(TopicPartition, Batch, Attempt)> {
    let response = match result {
        Ok(response) => response,
        Err(e) => {
            return ready.into_iter().map(|r| (r.partition, r.batch, Attempt::Failed(e.clone()))).collect();
        }
    };
    let mut answers = HashMap::new();
    for topic in response.responses {
        // From version 13 answers name topics by id only.
        let name = if topic.name.is_empty() { names.get(&topic.topic_id).cloned() } else { Some(topic.name) };
        let Some(name) = name else { continue };
        for partition in topic.partition_responses {
            answers.insert((TopicName::from(name.clone()), partition.index), partition);
        }
    }
    ready
        .into_iter()
        .map(|r| {
            let answer = answers.remove(&(r.partition.topic.clone(), r.partition.partition.0));
            let attempt = match answer {
                Some(answer) => attempt(&r.partition, &answer),
                None => {
                    Attempt::Failed(ClientError::broker(&r.partition, ErrorCode::NETWORK_EXCEPTION, None))
                }
            };
            (r.partition, r.batch, attempt)
        })
        .collect()
}

fn attempt(partition: &TopicPartition, answer: &PartitionProduceResponse) -> Attempt {
    if answer.error_code.is_none() {
        return Attempt::Written(Written {
            base_offset: Some(Offset(answer.base_offset)).filter(|o| o.0 >= 0),
            append_time: Some(answer.log_append_time_ms).filter(|t| *t >= 0),
        });
    }
    let of_record = answer.record_errors.iter().find_map(|e| e.batch_index_error_message.as_deref());
    let message = answer.error_message.as_deref().or(of_record);
    Attempt::Failed(ClientError::broker(format!("records for {partition}"), answer.error_code, message))
}
