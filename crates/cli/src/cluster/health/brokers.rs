//! Brokers that are down, and log directories.

use std::collections::{BTreeMap, BTreeSet};

use ottla_client::{ClientError, NodeId, RegisteredBroker};

use super::finding::{Finding, Kind, counted};
use super::look::{Look, is_silence};

pub(super) fn findings(look: &Look) -> Vec<Finding> {
    let held = held(look);
    let known: BTreeSet<NodeId> = look.brokers.iter().map(|broker| broker.info.id).collect();
    let fenced = look.brokers.iter().filter(|broker| broker.fenced).map(|broker| fenced(broker, &held));
    let missing = held.iter().filter(|(id, _)| !known.contains(id)).map(|(id, count)| missing(*id, *count));
    fenced.chain(missing).chain(log_dirs(look)).collect()
}

/// How many replicas each broker should have.
fn held(look: &Look) -> BTreeMap<NodeId, usize> {
    let mut held = BTreeMap::new();
    for id in look.partitions().flat_map(|(_, partition)| &partition.replicas) {
        *held.entry(*id).or_default() += 1;
    }
    held
}

fn fenced(broker: &RegisteredBroker, held: &BTreeMap<NodeId, usize>) -> Finding {
    let id = broker.info.id;
    let replicas = held.get(&id).copied().unwrap_or_default();
    let message =
        format!("broker {id} ({}) is fenced, with {}", broker.info.address(), counted(replicas, "replica"));
    let remedy = match replicas {
        0 => format!("start it; if it is gone for good, `kafka-cluster.sh unregister --id {id}`"),
        _ => "start it; if it runs, read its log".to_owned(),
    };
    Finding::new(Kind::BrokerFenced, message, remedy).nodes([id])
}

fn missing(id: NodeId, count: usize) -> Finding {
    let message = format!("broker {id} is not there, and should hold {}", counted(count, "replica"));
    Finding::new(Kind::BrokerMissing, message, "start it, or move its replicas to others").nodes([id])
}

fn log_dirs(look: &Look) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, asked) in &look.log_dirs {
        match asked {
            Ok(dirs) => findings.extend(dirs.iter().filter_map(|dir| {
                let failure = dir.failure.as_ref()?;
                let message = format!("log directory {} of broker {id} is offline: {failure}", dir.path);
                let remedy = "read the broker's log for the cause, mend the disk, and restart the broker";
                Some(Finding::new(Kind::LogDirOffline, message, remedy).nodes([*id]))
            })),
            Err(error) => findings.push(unanswered(*id, error)),
        }
    }
    findings
}

fn unanswered(id: NodeId, error: &ClientError) -> Finding {
    let finding = if is_silence(error) {
        Finding::new(
            Kind::BrokerSilent,
            format!("broker {id} does not answer: {error}"),
            "see whether it runs and can be reached from here",
        )
    } else {
        not_asked(&format!("the log directories of broker {id}"), error)
    };
    finding.nodes([id])
}

/// For what a cluster of this version does not tell, or not to everybody.
pub(super) fn not_asked(what: &str, error: &ClientError) -> Finding {
    match error {
        ClientError::UnsupportedVersion { .. } => {
            Finding::new(Kind::NotTold, format!("this cluster does not tell {what}"), "upgrade it to know")
        }
        _ => Finding::new(
            Kind::NotAnswered,
            format!("{what}: no answer: {error}"),
            "ask again, with more permissions if they lack",
        ),
    }
}
