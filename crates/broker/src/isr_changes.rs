//! Asks the controller to change the in-sync replicas of partitions that this broker leads (AlterPartition, KIP-497), until it
//! has answered. A change stays in flight until the metadata tells of it: the high watermark counts both sets meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ottla_metadata::MetadataImage;
use ottla_protocol::ErrorCode;
use ottla_protocol::messages::alter_partition::{
    AlterPartitionRequest, AlterPartitionResponse, AlterPartitionResponsePartitionData, BrokerState,
    PartitionData, TopicData,
};
use ottla_replication::AlterIsr;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, PartitionIndex, TopicId};
use tokio::time::Instant;

use crate::Broker;
use crate::controller_channel::ControllerChannel;
use crate::replica_manager::Partition;

/// After no answer, or one of a controller that does not lead.
const RETRY: Duration = Duration::from_millis(50);
/// After a refusal: what the controller knows of a broker changes with its next heartbeats.
const REFUSED: Duration = Duration::from_millis(200);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Partitions of one request.
const AT_ONCE: usize = 2000;

/// A change of one partition that was asked for.
struct Asked {
    partition: Arc<Partition>,
    leader_epoch: LeaderEpoch,
    change: AlterIsr,
}

/// Looks at all partitions that others follow twice within `replica.lag.time.max.ms`, and at some as soon as a follower has
/// caught up, for as long as the broker runs.
pub(crate) async fn run(broker: Arc<Broker>, channel: ControllerChannel) {
    let in_sync = Arc::clone(broker.replicas.in_sync());
    let mut last_round = Instant::now();
    loop {
        let lag_max = lag_max(&broker);
        let due = last_round + lag_max / 2;
        let partitions = tokio::select! {
            () = in_sync.noted() => in_sync.take_noted(),
            () = tokio::time::sleep_until(due) => {
                last_round = Instant::now();
                in_sync.led()
            }
        };
        for some in partitions.chunks(AT_ONCE) {
            if let Some(pause) = ask(&broker, &channel, some).await {
                tokio::time::sleep(pause).await;
            }
        }
    }
}

fn lag_max(broker: &Broker) -> Duration {
    Duration::from_millis(u64::try_from(broker.config().replication.lag_time_max_ms).unwrap_or(0))
}

/// Asks for what is wanted of `partitions`. How long to wait before the next request, if something went wrong; what is to be
/// asked for again is noted.
async fn ask(
    broker: &Broker,
    channel: &ControllerChannel,
    partitions: &[Arc<Partition>],
) -> Option<Duration> {
    let image = broker.image();
    let eligible = |id, epoch| may_join(&image, id, epoch);
    let lag_max = lag_max(broker);
    let wanted = partitions.iter().filter_map(|partition| {
        let (leader_epoch, change) = partition.wanted_isr(lag_max, eligible)?;
        Some(Asked { partition: Arc::clone(partition), leader_epoch, change })
    });
    let asked: Vec<Asked> = wanted.collect();
    if asked.is_empty() {
        return None;
    }
    let request = request(broker, &asked);
    let error = match channel.send_once(&request, TIMEOUT).await {
        Ok(response) if response.error_code == ErrorCode::NONE => return take(broker, &asked, response),
        Ok(response) => {
            if response.error_code == ErrorCode::NOT_CONTROLLER {
                channel.not_controller();
            }
            format!("{:?}", response.error_code)
        }
        Err(error) => error.to_string(),
    };
    tracing::debug!("the in-sync replicas of {} partitions do not change yet: {error}", asked.len());
    asked.iter().for_each(|one| broker.replicas.in_sync().look_at(&one.partition));
    Some(RETRY)
}

/// Whether the controller would take a replica with this broker epoch (KIP-841, KIP-903).
pub(crate) fn may_join(image: &MetadataImage, id: NodeId, fetched_with: Option<BrokerEpoch>) -> bool {
    image
        .brokers
        .get(id)
        .is_some_and(|broker| broker.is_active() && fetched_with.is_none_or(|epoch| epoch == broker.epoch))
}

fn request(broker: &Broker, asked: &[Asked]) -> AlterPartitionRequest {
    let (me, my_epoch) = (broker.node_id(), broker.registration().broker_epoch());
    let mut topics: HashMap<TopicId, Vec<PartitionData>> = HashMap::new();
    for Asked { partition, leader_epoch, change } in asked {
        let member = |&(id, epoch): &(NodeId, Option<BrokerEpoch>)| {
            let epoch = if id == me { my_epoch } else { epoch.unwrap_or(BrokerEpoch::NONE) };
            BrokerState { broker_id: id.0, broker_epoch: epoch.0, ..Default::default() }
        };
        let data = PartitionData {
            partition_index: partition.id().topic_partition.partition.0,
            leader_epoch: leader_epoch.0,
            new_isr_with_epochs: change.isr.iter().map(member).collect(),
            partition_epoch: change.partition_epoch.0,
            ..Default::default()
        };
        topics.entry(partition.id().topic_id).or_default().push(data);
    }
    let topic = |(topic_id, partitions)| TopicData { topic_id, partitions, ..Default::default() };
    AlterPartitionRequest {
        broker_id: me.0,
        broker_epoch: my_epoch.0,
        topics: topics.into_iter().map(topic).collect(),
        ..Default::default()
    }
}

fn take(broker: &Broker, asked: &[Asked], response: AlterPartitionResponse) -> Option<Duration> {
    let mut answers: HashMap<(TopicId, PartitionIndex), AlterPartitionResponsePartitionData> = HashMap::new();
    for topic in response.topics {
        for answer in topic.partitions {
            answers.insert((topic.topic_id, PartitionIndex(answer.partition_index)), answer);
        }
    }
    let mut pause = None;
    for one in asked {
        let id = one.partition.id();
        let Some(answer) = answers.remove(&(id.topic_id, id.topic_partition.partition)) else { continue };
        match answer.error_code {
            ErrorCode::NONE => {
                tracing::info!("{}: in sync are {:?} now", id.topic_partition, answer.isr);
                one.partition.isr_changed(one.leader_epoch, &one.change);
            }
            // The change was not made, and this leader still is it: what it wants next may be something else.
            ErrorCode::INELIGIBLE_REPLICA | ErrorCode::OPERATION_NOT_ATTEMPTED => {
                one.partition.isr_refused(one.leader_epoch, &one.change);
                broker.replicas.in_sync().look_at(&one.partition);
                pause = Some(REFUSED);
            }
            // The metadata tells what this broker has not heard of yet, an earlier try that succeeded included.
            error => {
                tracing::info!("{}: the in-sync replicas are others already: {error:?}", id.topic_partition)
            }
        }
    }
    pause
}
