//! R17: at rest all replicas have the same batches: offsets, epochs, checksums.

use crate::History;

pub(super) fn check(history: &History) -> Option<String> {
    for leader in history.final_logs() {
        for dump in history.dumps.iter().filter(|dump| dump.partition == leader.partition) {
            let differ = leader.records.iter().zip(&dump.records).find(|(a, b)| a != b);
            if let Some((led, copied)) = differ {
                return Some(format!(
                    "partition {}: leader {} has {led:?}, replica {} {copied:?}",
                    leader.partition, leader.replica, dump.replica
                ));
            }
            if leader.records.len() != dump.records.len() {
                return Some(format!(
                    "partition {}: leader {} has {} records, replica {} {}",
                    leader.partition,
                    leader.replica,
                    leader.records.len(),
                    dump.replica,
                    dump.records.len()
                ));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::rules::testing::*;

    #[test]
    fn a_replica_whose_batch_is_another() {
        assert_eq!(breaks(|history| history.dumps[1].records[1].crc ^= 1), ["R17 replica-equality"]);
    }

    #[test]
    fn a_replica_that_lacks_the_last() {
        let short = breaks(|history| {
            history.dumps[1].records.pop();
        });
        assert_eq!(short, ["R17 replica-equality"]);
    }
}
