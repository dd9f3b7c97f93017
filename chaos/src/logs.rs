//! The replicas' logs, read from the disks of nodes that were stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ottla_history::{Dump, Dumped};
use ottla_types::{Bytes, NodeId, Offset};

use crate::Failure;
use crate::cluster::Cluster;
use crate::load::TOPIC;

/// What the replicas of the topic have.
pub(crate) struct Replicas {
    /// For the rules.
    pub(crate) dumps: Vec<Dump>,
    /// Bytes of one replica of each partition, together.
    pub(crate) bytes: u64,
    /// Segments of one replica of each partition, together.
    pub(crate) segments: usize,
    /// How replicas differ from the leader's, byte for byte.
    pub(crate) differences: Vec<String>,
}

/// All replicas; `leaders` are those that led last.
pub(crate) fn read(cluster: &Cluster, leaders: &BTreeMap<i32, i32>) -> Result<Replicas, Failure> {
    let mut all = Replicas { dumps: Vec::new(), bytes: 0, segments: 0, differences: Vec::new() };
    for (&partition, &leader) in leaders {
        let led = one(cluster, leader, partition)?;
        all.segments += led.segments;
        all.bytes += led.bytes.len() as u64;
        for &replica in cluster.nodes.keys() {
            let copy = if replica == leader { None } else { Some(one(cluster, replica, partition)?) };
            let bytes = copy.as_ref().map_or(&led.bytes, |copy| &copy.bytes);
            if let Some(difference) = difference(&led.bytes, bytes) {
                all.differences.push(format!(
                    "partition {partition}: node {replica} differs from the leader, node {leader}: {difference}"
                ));
            }
            all.dumps.push(Dump {
                partition,
                replica: NodeId(replica),
                is_leader: replica == leader,
                records: Dumped::all_in(bytes, Offset::ZERO),
            });
        }
    }
    Ok(all)
}

struct Log {
    bytes: Bytes,
    segments: usize,
}

/// The segments of a replica, one behind the other: where they are rolled is each replica's own affair.
fn one(cluster: &Cluster, id: i32, partition: i32) -> Result<Log, Failure> {
    let node = cluster.nodes.get(&id).ok_or("no such node")?;
    let dir: PathBuf = Path::new("/data").join(format!("{TOPIC}-{partition}"));
    let mut segments = node.disk.files(&dir);
    segments.retain(|name| name.ends_with(".log"));
    let mut bytes = Vec::new();
    for name in &segments {
        bytes.extend(node.disk.read(&dir.join(name))?);
    }
    Ok(Log { bytes: bytes.into(), segments: segments.len() })
}

fn difference(led: &[u8], copied: &[u8]) -> Option<String> {
    let first = led.iter().zip(copied).position(|(a, b)| a != b);
    match first {
        Some(at) => Some(format!("from byte {at} on, of {} and {}", led.len(), copied.len())),
        None if led.len() != copied.len() => Some(format!("{} bytes, and {}", led.len(), copied.len())),
        None => None,
    }
}
