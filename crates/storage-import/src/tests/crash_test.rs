//! Power loss in the middle of an import.

use std::path::Path;

use super::kafka::{KAFKA, Kafka, OTTLA};
use crate::{Bootstrap, is_unfinished};

#[test]
fn an_import_may_be_repeated_after_power_loss_at_any_moment() {
    let total = {
        let kafka = Kafka::new();
        kafka.write_metadata(KAFKA);
        let before = kafka.disk.mutations();
        kafka.import().unwrap();
        kafka.disk.mutations() - before
    };
    assert!(total > 30, "{total}");
    for n in 1..=total {
        let mut kafka = Kafka::new();
        kafka.write_metadata(KAFKA);
        let source = kafka.files(KAFKA);
        kafka.disk = kafka.disk.fork(n);
        kafka.disk.crash_at(n);
        let done = kafka.import().is_ok();
        kafka.disk.restart();
        let ottla = Path::new(OTTLA);
        let is_there = kafka.exists(OTTLA) && !kafka.files(OTTLA).is_empty();
        let is_complete = Bootstrap::read(&kafka.disk, ottla).is_ok_and(|snapshot| snapshot.is_some());
        assert!(
            !is_there || is_complete || is_unfinished(&kafka.disk, ottla).unwrap(),
            "crash at {n}: a node could start on a part of it"
        );
        assert!(!done || is_complete, "crash at {n}");
        let report = kafka.import().unwrap_or_else(|e| panic!("crash at {n}: {e}"));
        assert_eq!(report.topics.len(), 1);
        assert!(!is_unfinished(&kafka.disk, ottla).unwrap());
        assert!(kafka.exists("/ottla/orders-0/00000000000000000000.log"));
        assert_eq!(kafka.files(KAFKA), source, "crash at {n}");
    }
}
