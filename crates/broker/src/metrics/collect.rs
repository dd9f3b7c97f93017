//! What a scrape shows of this broker. Offsets are facts of the cluster: each broker reports the partitions that it leads
//! and the groups that it coordinates, so that sums over brokers are right.

use std::collections::BTreeMap;
use std::sync::Arc;

use ottla_metadata::MetadataImage;
use ottla_metadata::image::PartitionImage;
use ottla_telemetry::{Collect, Counter, Encoder, Kind};
use ottla_types::PartitionIndex;

use super::TopicCounts;
use crate::Broker;
use crate::replica_manager::Partition;

/// Partitions with series of their own; beyond, only the sums stay.
const MAX_PARTITION_SERIES: usize = 10_000;

/// Collects from a running broker.
#[derive(Debug)]
pub(crate) struct BrokerCollector(pub(crate) Arc<Broker>);

impl Collect for BrokerCollector {
    fn collect(&self, encoder: &mut Encoder) {
        let image = self.0.image();
        let partitions = self.0.replicas.partitions();
        topics(&self.0, encoder);
        replicas(&self.0, &image, &partitions, encoder);
        for partition in
            partitions.iter().filter(|partition| partition.is_leader()).take(MAX_PARTITION_SERIES)
        {
            one_partition(&self.0, &image, partition, encoder);
        }
        for (dir, times) in self.0.replicas.flush_times() {
            times.collect(
                (
                    "kafka_log_logflushstats_logflushrateandtimems",
                    "Time to sync a log, milliseconds, over the last minutes.",
                ),
                ("kafka_log_logflushstats_logflushrateandtimems_count", "Syncs of logs."),
                ("log_dir", &dir.display().to_string()),
                encoder,
            );
        }
        cleaner(&self.0, encoder);
        cluster(&image, encoder);
        groups(&self.0, encoder);
    }
}

fn topics(broker: &Broker, encoder: &mut Encoder) {
    type Row = (&'static str, &'static str, fn(&TopicCounts) -> &Counter);
    const ROWS: [Row; 7] = [
        ("kafka_server_brokertopicmetrics_messagesin_total", "Records appended.", |c| &c.messages_in),
        ("kafka_server_brokertopicmetrics_bytesin_total", "Bytes appended.", |c| &c.bytes_in),
        ("kafka_server_brokertopicmetrics_bytesout_total", "Bytes fetched by consumers.", |c| &c.bytes_out),
        ("kafka_server_brokertopicmetrics_totalproducerequests_total", "Appends asked for.", |c| {
            &c.produce_requests
        }),
        ("kafka_server_brokertopicmetrics_totalfetchrequests_total", "Reads asked for.", |c| {
            &c.fetch_requests
        }),
        ("kafka_server_brokertopicmetrics_failedproducerequests_total", "Appends refused.", |c| {
            &c.failed_produce_requests
        }),
        ("kafka_server_brokertopicmetrics_failedfetchrequests_total", "Reads refused.", |c| {
            &c.failed_fetch_requests
        }),
    ];
    let all = broker.replicas.topic_metrics().all();
    for (name, help, of) in ROWS {
        let mut family = encoder.family(name, Kind::Counter, help);
        family.sample(&[], all.iter().map(|(_, counts)| of(counts).get()).sum::<u64>());
        for (topic, counts) in &all {
            family.sample(&[("topic", topic.as_str())], of(counts).get());
        }
    }
}

fn replicas(broker: &Broker, image: &MetadataImage, partitions: &[Arc<Partition>], encoder: &mut Encoder) {
    let led: Vec<&Arc<Partition>> = partitions.iter().filter(|partition| partition.is_leader()).collect();
    let states: Vec<&PartitionImage> = led.iter().filter_map(|partition| state(image, partition)).collect();
    let under_replicated = states.iter().filter(|state| state.is_under_replicated()).count();
    let reassigning = states.iter().filter(|state| state.is_reassigning()).count();
    let under_min = led.iter().filter(|partition| partition.is_under_min_isr()).count();
    let offline = broker.replicas.offline_directories().len();
    let (sessions, cached) = broker.fetch_sessions.counts();
    let rows: [(&'static str, &'static str, usize); 8] = [
        ("kafka_server_replicamanager_partitioncount", "Partitions on this broker.", partitions.len()),
        ("kafka_server_replicamanager_leadercount", "Partitions that this broker leads.", led.len()),
        (
            "kafka_server_replicamanager_underreplicatedpartitions",
            "Led partitions with a replica out of sync.",
            under_replicated,
        ),
        (
            "kafka_server_replicamanager_reassigningpartitions",
            "Led partitions that are being reassigned.",
            reassigning,
        ),
        (
            "kafka_server_replicamanager_underminisrpartitioncount",
            "Led partitions below min.insync.replicas.",
            under_min,
        ),
        ("kafka_log_logmanager_offlinelogdirectorycount", "Log directories that failed.", offline),
        ("kafka_server_fetchsessioncache_numincrementalfetchsessions", "Fetch sessions.", sessions),
        (
            "kafka_server_fetchsessioncache_numincrementalfetchpartitionscached",
            "Partitions of fetch sessions.",
            cached,
        ),
    ];
    for (name, help, value) in rows {
        encoder.gauge(name, help, value);
    }
}

fn cleaner(broker: &Broker, encoder: &mut Encoder) {
    let counts = broker.replicas.cleaner_counts();
    let rows = [
        (
            "kafka_log_logcleanermanager_uncleanable_partitions_count",
            "Partitions whose compaction failed.",
            counts.uncleanable as u64,
        ),
        (
            "kafka_log_logcleanermanager_max_dirty_percent",
            "Dirty share of the dirtiest compacted log.",
            counts.max_dirty_percent,
        ),
        (
            "kafka_log_logcleanermanager_time_since_last_run_ms",
            "Milliseconds since a cleaner thread looked for work.",
            u64::try_from(counts.since_look.as_millis()).unwrap_or(u64::MAX),
        ),
        (
            "kafka_log_logcleaner_cleaner_recopy_percent",
            "What the last compaction kept.",
            counts.recopy_percent,
        ),
        (
            "kafka_log_logcleaner_max_buffer_utilization_percent",
            "How full the map of keys was in the last compaction.",
            counts.buffer_percent,
        ),
        (
            "kafka_log_logcleaner_max_clean_time_secs",
            "Seconds that the last compaction took.",
            counts.last_round.as_secs(),
        ),
    ];
    for (name, help, value) in rows {
        encoder.gauge(name, help, value);
    }
}

fn one_partition(broker: &Broker, image: &MetadataImage, partition: &Partition, encoder: &mut Encoder) {
    let at = &partition.id().topic_partition;
    let number = at.partition.to_string();
    let labels = [("topic", at.topic.as_str()), ("partition", number.as_str())];
    let offsets = partition.offsets();
    let mut gauge = |name, help, value: i64| {
        encoder.family(name, Kind::Gauge, help).sample(&labels, value);
    };
    let size = i64::try_from(partition.size_bytes()).unwrap_or(i64::MAX);
    gauge("kafka_log_log_size", "Bytes on disk.", size);
    let segments = i64::try_from(partition.segment_count()).unwrap_or(i64::MAX);
    gauge("kafka_log_log_numlogsegments", "Segments.", segments);
    gauge("kafka_topic_partition_current_offset", "The high watermark.", offsets.high_watermark.0);
    gauge("kafka_topic_partition_oldest_offset", "The log start offset.", offsets.log_start.0);
    // The image may be newer than the partition's role, or older.
    let Some(state) = state(image, partition).filter(|state| state.leader == broker.node_id) else { return };
    let (replicas, in_sync) = (state.replicas.len() as i64, state.isr.len() as i64);
    gauge("kafka_topic_partition_replicas", "Replicas.", replicas);
    gauge("kafka_topic_partition_in_sync_replica", "Replicas in sync.", in_sync);
    gauge("kafka_topic_partition_leader", "The leader's node id.", i64::from(state.leader.0));
    let preferred = i64::from(state.leader == state.preferred_leader());
    gauge("kafka_topic_partition_leader_is_preferred", "Whether the preferred replica leads.", preferred);
    let under = i64::from(state.is_under_replicated());
    gauge("kafka_topic_partition_under_replicated_partition", "Whether a replica is out of sync.", under);
    gauge("kafka_cluster_partition_replicascount", "Replicas.", replicas);
    let under_min = i64::from(partition.is_under_min_isr());
    gauge("kafka_cluster_partition_underminisr", "Whether too few replicas are in sync.", under_min);
    let at_min = i64::from(partition.is_at_min_isr());
    gauge("kafka_cluster_partition_atminisr", "Whether just enough replicas are in sync.", at_min);
}

fn cluster(image: &MetadataImage, encoder: &mut Encoder) {
    let alive = image.brokers.iter().filter(|broker| !broker.fenced).count();
    encoder.gauge("kafka_brokers", "Brokers that are not fenced.", alive);
    let mut counts = encoder.family("kafka_topic_partitions", Kind::Gauge, "Partitions of the topic.");
    for topic in image.topics.iter() {
        counts.sample(&[("topic", topic.name.as_str())], topic.partition_count());
    }
}

fn groups(broker: &Broker, encoder: &mut Encoder) {
    broker.groups.for_each_shard(|_, shard| {
        for fact in shard.group_facts() {
            let mut members =
                encoder.family("kafka_consumergroup_members", Kind::Gauge, "Members of the consumer group.");
            members.sample(&[("consumergroup", fact.group_id.as_ref())], fact.members);
        }
        let mut lag_sums: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (group, topic, index, committed) in shard.committed_offsets() {
            let (topic, number) = (topic.as_str(), index.to_string());
            let labels =
                [("consumergroup", group.as_ref()), ("topic", topic), ("partition", number.as_str())];
            let mut gauge = |name, help, value: i64| {
                encoder.family(name, Kind::Gauge, help).sample(&labels, value);
            };
            gauge("kafka_consumergroup_current_offset", "The committed offset.", committed.offset.0);
            // Lag is told where the group is coordinated, if the partition is led here too.
            let Some(led) = led_partition(broker, topic, index) else { continue };
            let lag = (led.offsets().high_watermark - committed.offset).max(0);
            gauge("kafka_consumergroup_lag", "Records that the group has not consumed.", lag);
            *lag_sums.entry((group.to_string(), topic.to_owned())).or_default() += lag;
        }
        for ((group, topic), lag) in lag_sums {
            let mut sums = encoder.family(
                "kafka_consumergroup_lag_sum",
                Kind::Gauge,
                "Lag over all partitions of a topic.",
            );
            sums.sample(&[("consumergroup", group.as_str()), ("topic", topic.as_str())], lag);
        }
    });
}

fn led_partition(broker: &Broker, topic: &str, index: PartitionIndex) -> Option<Arc<Partition>> {
    broker.replicas.partition(topic, index).filter(|partition| partition.is_leader())
}

fn state<'a>(image: &'a MetadataImage, partition: &Partition) -> Option<&'a PartitionImage> {
    let id = partition.id();
    image.topics.partition(id.topic_id, id.topic_partition.partition).map(AsRef::as_ref)
}
