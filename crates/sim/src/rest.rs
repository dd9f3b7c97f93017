//! The cluster at rest: whether it has come to it, and what is in its logs then.

use ottla_history::{Dump, Dumped};
use ottla_storage::Log;
use ottla_types::Offset;

use crate::layout;
use crate::world::World;

impl World {
    /// What is not yet as it should be, once all faults are healed.
    pub(crate) fn unmet(&self) -> Vec<String> {
        let mut unmet = Vec::new();
        let image = &self.controllers.quorum.image;
        if image.topics.is_empty() {
            return vec!["there is no topic".to_owned()];
        }
        unmet.extend(self.controllers.moves_to_come());
        for (index, partition) in layout::partitions(image) {
            if partition.isr.len() < partition.replicas.len()
                || !partition.has_leader()
                || partition.is_reassigning()
            {
                unmet.push(format!(
                    "partition {index}: leader {}, in sync {:?} of {:?}",
                    partition.leader, partition.isr, partition.replicas
                ));
                continue;
            }
            let ends: Vec<_> = partition.replicas.iter().map(|id| self.ends(id.0, index)).collect();
            let is_one = ends.windows(2).all(|pair| pair[0].map(|e| e.1) == pair[1].map(|e| e.1));
            let leader = self.ends(partition.leader.0, index);
            if !is_one || leader.is_none_or(|(high_watermark, end)| high_watermark != end) {
                unmet.push(format!("partition {index}: (HW, LEO) of the replicas {ends:?}"));
            }
            let behind = self.consumers.iter().filter(|consumer| consumer.partition == index);
            for consumer in behind.filter(|consumer| Some(consumer.position) != leader.map(|e| e.0)) {
                unmet.push(format!("partition {index}: a consumer is at {}", consumer.position));
            }
        }
        for producer in self.producers.iter().filter(|producer| !producer.is_idle()) {
            unmet.push(format!("{:?} waits for an acknowledgement", producer.address()));
        }
        unmet
    }

    /// High watermark and end of a replica.
    fn ends(&self, broker: i32, partition: i32) -> Option<(Offset, Offset)> {
        let running = self.brokers.get(broker as usize - 1)?.running.as_ref()?;
        let hosted = running.partitions.get(&partition)?;
        Some(hosted.bare.look(|log, high_watermark, _| (high_watermark, log.log_end_offset())))
    }

    /// All logs, for the rules.
    pub(crate) fn dump(&mut self) {
        let image = self.controllers.quorum.image.clone();
        for (partition, state) in layout::partitions(&image) {
            for &replica in &state.replicas {
                let Some(broker) = self.brokers.get(replica.0 as usize - 1) else { continue };
                let hosted = broker.running.as_ref().and_then(|running| running.partitions.get(&partition));
                let Some(hosted) = hosted else { continue };
                let (records, failure) = hosted.bare.look(|log, _, _| dump(log));
                if let Some(failure) = failure {
                    self.cx.history.unmet.push(format!("partition {partition} replica {replica}: {failure}"));
                }
                let is_leader = state.leader == replica;
                self.cx.history.dumps.push(Dump { partition, replica, is_leader, records });
            }
        }
    }
}

/// All records of a log, or those up to where it cannot be read.
pub(crate) fn dump(log: &mut Log) -> (Vec<Dumped>, Option<String>) {
    let (mut found, mut next) = (Vec::new(), log.log_start_offset());
    let end = log.log_end_offset();
    while next < end {
        let read = log.read(next, 1 << 20, end, true).map_err(|error| error.to_string());
        let bytes = read.and_then(|read| read.load().map_err(|error| error.to_string()));
        let some = match bytes {
            Ok(bytes) => Dumped::all_in(&bytes, next),
            Err(error) => return (found, Some(error)),
        };
        let Some(last) = some.last() else { return (found, Some(format!("nothing is read at {next}"))) };
        next = last.offset.next();
        found.extend(some);
    }
    (found, None)
}
