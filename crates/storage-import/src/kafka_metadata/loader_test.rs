use std::path::Path;

use ottla_metadata::MetadataRecord;
use ottla_protocol::records::control::{VotersRecord, VotersVoter};
use ottla_protocol::records::metadata as wire;
use ottla_protocol::{Message, Writer};
use ottla_records::ControlType;
use ottla_types::{NodeId, Offset};

use super::{KafkaMetadata, read};
use crate::error::ImportError;
use crate::tests::kafka::{Kafka, NODE, control, directory, feature, leader_change, metadata_batch, topic};

const FOLDER: &str = "/kafka/__cluster_metadata-0";

fn put(kafka: &Kafka, name: &str, batches: &[bytes::Bytes]) {
    kafka.put(&format!("{FOLDER}/{name}"), &batches.concat());
}

fn load(kafka: &Kafka) -> Result<KafkaMetadata, ImportError> {
    read(&kafka.disk, Path::new(FOLDER))
}

fn voters_record(ids: &[i32]) -> bytes::Bytes {
    let voter = |id: &i32| VotersVoter { voter_id: *id, ..VotersVoter::default() };
    let record = VotersRecord { voters: ids.iter().map(voter).collect(), ..VotersRecord::default() };
    let mut w = Writer::new();
    record.encode(&mut w, 0).unwrap();
    w.into_bytes()
}

#[test]
fn the_log_goes_on_where_the_newest_snapshot_ends() {
    let kafka = Kafka::new();
    let header = || control(0, ControlType::SnapshotHeader, &[0; 11]);
    let footer = |at| control(at, ControlType::SnapshotFooter, &[0; 3]);
    put(&kafka, "00000000000000000000-0000000000.checkpoint", &[header(), footer(1)]);
    put(
        &kafka,
        "00000000000000000020-0000000001.checkpoint",
        &[
            header(),
            control(1, ControlType::KRaftVoters, &voters_record(&[NODE])),
            metadata_batch(2, &[topic("old", directory(60))]),
            footer(3),
        ],
    );
    // The beginning of the log was removed, and a part of what is left is in the snapshot.
    put(
        &kafka,
        "00000000000000000010.log",
        &[metadata_batch(10, &vec![feature("x", 1); 10]), metadata_batch(20, &[topic("new", directory(61))])],
    );
    put(&kafka, "00000000000000000021.log", &[metadata_batch(21, &[feature("y", 1)])]);
    let loaded = load(&kafka).unwrap();
    assert_eq!(loaded.image.offset, Offset(21));
    assert!(loaded.voters.iter().eq(&[NodeId(NODE)]));
    assert!(loaded.image.topics.by_name("old").is_some() && loaded.image.topics.by_name("new").is_some());
    assert_eq!((loaded.image.features.level("x"), loaded.image.features.level("y")), (0, 1));
}

#[test]
fn a_snapshot_without_its_last_record_is_damage() {
    let kafka = Kafka::new();
    let batches = [control(0, ControlType::SnapshotHeader, &[0; 11]), metadata_batch(1, &[feature("x", 1)])];
    put(&kafka, "00000000000000000020-0000000001.checkpoint", &batches);
    assert!(load(&kafka).unwrap_err().to_string().contains("the snapshot has no last record"));
}

#[test]
fn of_a_transaction_only_what_was_committed_counts() {
    let kafka = Kafka::new();
    let begin = || MetadataRecord::from(wire::BeginTransactionRecord::default());
    let end = MetadataRecord::from(wire::EndTransactionRecord::default());
    let abort = MetadataRecord::from(wire::AbortTransactionRecord::default());
    put(
        &kafka,
        "00000000000000000000.log",
        &[
            leader_change(&[NODE]),
            metadata_batch(1, &[begin(), topic("committed", directory(60))]),
            metadata_batch(3, &[end, begin(), topic("aborted", directory(61))]),
            metadata_batch(6, &[abort, topic("plain", directory(62)), begin(), topic("open", directory(63))]),
        ],
    );
    let loaded = load(&kafka).unwrap();
    let names: Vec<_> = loaded.image.topics.iter().map(|topic| topic.name.to_string()).collect();
    assert_eq!(names, ["committed", "plain"]);
    assert_eq!(loaded.image.offset, Offset(9));
}

#[test]
fn voters_are_in_quorum_state_where_no_record_names_them() {
    let kafka = Kafka::new();
    put(&kafka, "00000000000000000000.log", &[metadata_batch(0, &[feature("x", 1)])]);
    assert!(matches!(load(&kafka), Err(ImportError::UnknownVoters { .. })));
    let state = br#"{"leaderId":7,"currentVoters":[{"voterId":7},{"voterId":8}],"data_version":0}"#;
    kafka.put(&format!("{FOLDER}/quorum-state"), state);
    assert!(load(&kafka).unwrap().voters.iter().eq(&[NodeId(7), NodeId(8)]));
}
