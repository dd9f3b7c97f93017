//! Counts of this broker by topic, and what a scrape shows of its partitions and groups
//! (names: the Strimzi/JMX-exporter and kafka-exporter families).

use std::collections::HashMap;
use std::sync::Arc;

use ottla_telemetry::Counter;
use ottla_types::TopicName;
use parking_lot::RwLock;

mod collect;

pub(crate) use self::collect::BrokerCollector;

/// One topic's counts (`BrokerTopicMetrics`).
#[derive(Debug, Default)]
pub(crate) struct TopicCounts {
    pub(crate) messages_in: Counter,
    pub(crate) bytes_in: Counter,
    pub(crate) bytes_out: Counter,
    pub(crate) produce_requests: Counter,
    pub(crate) fetch_requests: Counter,
    pub(crate) failed_produce_requests: Counter,
    pub(crate) failed_fetch_requests: Counter,
}

/// Every topic's counts. A partition keeps its topic's, so that nothing is looked up per request.
#[derive(Debug, Default)]
pub(crate) struct TopicMetrics {
    topics: RwLock<HashMap<TopicName, Arc<TopicCounts>>>,
}

impl TopicMetrics {
    /// The counts of `topic`.
    pub(crate) fn of(&self, topic: &TopicName) -> Arc<TopicCounts> {
        if let Some(counts) = self.topics.read().get(topic) {
            return Arc::clone(counts);
        }
        Arc::clone(self.topics.write().entry(topic.clone()).or_default())
    }

    /// The topic is gone.
    pub(crate) fn forget(&self, topic: &str) {
        self.topics.write().remove(topic);
    }

    fn all(&self) -> Vec<(TopicName, Arc<TopicCounts>)> {
        let topics = self.topics.read();
        let mut all: Vec<_> =
            topics.iter().map(|(name, counts)| (name.clone(), Arc::clone(counts))).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all
    }
}
