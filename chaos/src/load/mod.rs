//! What clients do meanwhile: producers write at a steady rate whatever happens, a consumer reads what is written.

mod consumer;
mod producer;

use std::time::Duration;

use ottla_client::{Client, ClientConfig, NewTopic};
use tokio::task::JoinSet;

pub(crate) use self::consumer::{follow, scan};
use crate::Failure;
use crate::journal::Journal;

/// The topic that is written to.
pub(crate) const TOPIC: &str = "chaos";
/// Longer than any run: a record is sent again until it is acknowledged.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How much is written.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) partitions: i32,
    pub(crate) producers: u32,
    pub(crate) records_per_s: u32,
    pub(crate) record_bytes: usize,
}

/// A client that does not wait long for nodes that say nothing.
pub(crate) async fn connect(servers: &str, who: &str) -> Result<Client, ottla_client::ClientError> {
    let mut config = ClientConfig::new(servers).client_id(who);
    config.connect_timeout = Duration::from_secs(2);
    config.request_timeout = Duration::from_secs(3);
    config.api_timeout = Duration::from_secs(20);
    config.retry_backoff = Duration::from_millis(50);
    config.retry_backoff_max = Duration::from_millis(500);
    config.allow_auto_create_topics = false;
    Client::with(config).await
}

/// The topic, on all nodes, so that a majority of them has to have a record before it is acknowledged.
pub(crate) async fn create_topic(servers: &str, load: Load, nodes: i32) -> Result<(), Failure> {
    let topic = NewTopic::new(TOPIC)
        .partitions(load.partitions)
        .replication_factor(i16::try_from(nodes)?)
        .config("min.insync.replicas", (nodes / 2 + 1).to_string())
        // Small, so that segments are rolled.
        .config("segment.bytes", (1 << 20).to_string());
    connect(servers, "admin").await?.admin().create_topic(topic).await?;
    Ok(())
}

/// Producers and the consumer, until the run is over.
pub(crate) fn start(servers: &str, load: Load, seed: u64, journal: &Journal) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for index in 0..load.producers {
        let seed = seed.wrapping_add(u64::from(index) << 32);
        tasks.spawn(producer::write(servers.to_owned(), load, seed, journal.clone()));
    }
    tasks
}
