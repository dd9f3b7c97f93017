//! What becomes of Kafka's metadata: the image that Ottla's quorum begins with.
//!
//! Topics, configs, producer ids and this node's registration stay, offset and epochs included: all that is counted goes on
//! from there. The registrations of controllers and of other brokers are left out; features that Ottla lacks are off.

use std::collections::BTreeMap;

use ottla_config::table;
use ottla_metadata::MetadataRecord;
use ottla_metadata::image::{METADATA_VERSION, MetadataImage, SUPPORTED_FEATURES};
use ottla_protocol::records::metadata::{ConfigRecord, FeatureLevelRecord, PartitionRecord};
use ottla_types::{ByteString, DirectoryId, NodeId, PartitionIndex, TopicId, TopicPartition};

use crate::error::ImportError;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// The image, and what is not as it was.
#[derive(Debug)]
pub(crate) struct Takeover {
    pub(crate) image: MetadataImage,
    pub(crate) warnings: Vec<String>,
}

/// Refuses what this node alone cannot go on with.
pub(crate) fn check(image: &MetadataImage, node: NodeId, sole_replica: bool) -> Result<(), ImportError> {
    if image.brokers.get(node).is_none() {
        return Err(ImportError::NotABroker { node });
    }
    let (mut elsewhere, mut lagging) = (Vec::new(), Vec::new());
    for topic in image.topics.iter() {
        for (index, partition) in topic.partitions() {
            let at = || (TopicPartition::new(topic.name.clone(), index), partition);
            if *partition.replicas != [node] {
                elsewhere.push(at());
            }
            if !partition.isr.contains(&node) && !partition.elr.contains(&node) {
                lagging.push(at());
            }
        }
    }
    if let Some((example, partition)) = elsewhere.first().filter(|_| !sole_replica) {
        return Err(ImportError::OtherReplicas {
            node,
            count: elsewhere.len(),
            example: example.clone(),
            replicas: numbers(&partition.replicas),
        });
    }
    if let Some((example, partition)) = lagging.first() {
        return Err(ImportError::NotInSync {
            node,
            count: lagging.len(),
            example: example.clone(),
            replicas: numbers(&partition.replicas),
            isr: numbers(&partition.isr),
        });
    }
    Ok(())
}

fn numbers(nodes: &[NodeId]) -> Vec<i32> {
    nodes.iter().map(|node| node.0).collect()
}

/// The image of `kafka` with `node` alone, after [`check`]. `directory_of` tells where each of its partitions goes.
pub(crate) fn take_over(
    kafka: &MetadataImage,
    node: NodeId,
    directory_of: &dyn Fn(TopicId, PartitionIndex) -> DirectoryId,
) -> Result<Takeover, ImportError> {
    let mut turn = Turn { node, directory_of, warnings: Vec::new(), counts: BTreeMap::new() };
    let mut records = Vec::new();
    for record in kafka.to_records() {
        records.extend(turn.record(record)?);
    }
    let offset = kafka.offset;
    let image = MetadataImage::from_records(offset, &records);
    let image = image.map_err(|source| ImportError::Apply { offset, source })?;
    let counted = turn.counts.into_iter().map(|(what, count)| format!("{count} {what}"));
    let warnings = turn.warnings.into_iter().chain(counted).collect();
    Ok(Takeover { image, warnings })
}

struct Turn<'a> {
    node: NodeId,
    directory_of: &'a dyn Fn(TopicId, PartitionIndex) -> DirectoryId,
    warnings: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Turn<'_> {
    fn record(&mut self, record: MetadataRecord) -> Result<Option<MetadataRecord>, ImportError> {
        match record {
            MetadataRecord::FeatureLevel(record) => Ok(self.feature(record)?.map(Into::into)),
            MetadataRecord::RegisterBroker(mut record) if record.broker_id == self.node.0 => {
                record.fenced = true;
                Ok(Some(record.into()))
            }
            MetadataRecord::RegisterBroker(_) => {
                self.count("registrations of other brokers are left out");
                Ok(None)
            }
            MetadataRecord::RegisterController(_) => Ok(None),
            MetadataRecord::Partition(record) => Ok(Some(self.partition(record).into())),
            MetadataRecord::Config(record) => Ok(self.config(record).map(Into::into)),
            kept => {
                self.warn_of_kept(&kept);
                Ok(Some(kept))
            }
        }
    }

    fn feature(&mut self, record: FeatureLevelRecord) -> Result<Option<FeatureLevelRecord>, ImportError> {
        let (name, level) = (record.name.clone(), record.feature_level);
        let known = SUPPORTED_FEATURES.iter().find(|(known, ..)| *known == &*name);
        match known {
            Some((_, min, max)) if (*min..=*max).contains(&level) => Ok(Some(record)),
            Some((known, min, max)) => {
                let remedy = match level > *max {
                    true => {
                        "import with a version of Ottla that knows it, or lower it in Kafka (kafka-features downgrade)"
                    }
                    false if *known == METADATA_VERSION => "raise it in Kafka first (kafka-features upgrade)",
                    false => "change it in Kafka first (kafka-features)",
                };
                Err(ImportError::Feature { feature: name, level, min: *min, max: *max, remedy })
            }
            None => {
                self.warnings.push(format!("feature {name}={level} is off from now on: {}", without(&name)));
                Ok(None)
            }
        }
    }

    /// The node is the only replica. Who led has left, so that the next leader has a new epoch.
    fn partition(&mut self, record: PartitionRecord) -> PartitionRecord {
        let node = self.node.0;
        let directory = (self.directory_of)(record.topic_id, PartitionIndex(record.partition_id));
        if record.replicas != [node] {
            self.count("partitions lose their replicas on other nodes");
        }
        let had_leader = i32::from(record.leader != NodeId::NONE.0);
        PartitionRecord {
            replicas: vec![node],
            isr: vec![node],
            removing_replicas: Vec::new(),
            adding_replicas: Vec::new(),
            leader: NodeId::NONE.0,
            leader_epoch: record.leader_epoch.saturating_add(had_leader),
            partition_epoch: record.partition_epoch.saturating_add(had_leader),
            directories: vec![directory],
            eligible_leader_replicas: None,
            last_known_elr: None,
            ..record
        }
    }

    fn config(&mut self, record: ConfigRecord) -> Option<ConfigRecord> {
        let (resource, key) = (&record.resource_name, &record.name);
        let is_known = match record.resource_type {
            BROKER if !resource.is_empty() && **resource != self.node.to_string() => {
                self.count("configs of other brokers are left out");
                return None;
            }
            BROKER => table::broker(key).is_some(),
            TOPIC => table::topic(key).is_some(),
            _ => true,
        };
        if !is_known {
            let of = if record.resource_type == TOPIC { "topic" } else { "broker" };
            let of = if resource.is_empty() { "all brokers".to_owned() } else { format!("{of} {resource}") };
            self.warnings.push(format!("config {key} of {of} is kept, but Ottla does not know it"));
        }
        Some(record)
    }

    fn warn_of_kept(&mut self, record: &MetadataRecord) {
        match record {
            MetadataRecord::AccessControlEntry(_) => {
                self.count(
                    "ACLs are kept, but this version does not apply them: everybody may do everything",
                );
            }
            MetadataRecord::UserScramCredential(_) => {
                self.count("SCRAM credentials are kept, but this version does not authenticate anybody");
            }
            MetadataRecord::DelegationToken(_) => {
                self.count("delegation tokens are kept, but this version does not accept them");
            }
            MetadataRecord::ClientQuota(_) => {
                self.count("client quotas are kept, but this version does not apply them");
            }
            _ => {}
        }
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
}

/// What is missed when a feature is off.
fn without(feature: &ByteString) -> &'static str {
    match &**feature {
        "group.version" => {
            "groups of the new consumer protocol (KIP-848) keep their offsets, their members have to use group.protocol=classic"
        }
        "transaction.version" => {
            "this version has no transactions; what is in __transaction_state stays as it is"
        }
        "share.version" => "this version has no share groups; their state stays as it is",
        "streams.version" => {
            "groups of the streams protocol keep their offsets, their members have to use the classic one"
        }
        _ => "this version does not have it",
    }
}
