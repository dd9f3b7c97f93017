use ottla_protocol::records::metadata::{ConfigRecord, TopicRecord};

use super::*;

fn at(level: i16) -> MetadataVersion {
    MetadataVersion::from_level(level).unwrap()
}

fn versions(level: i16) -> [Version; 4] {
    let records: [MetadataRecord; 4] = [
        RegisterBrokerRecord::default().into(),
        BrokerRegistrationChangeRecord::default().into(),
        PartitionRecord::default().into(),
        PartitionChangeRecord::default().into(),
    ];
    records.map(|record| at(level).record_version(&record))
}

/// What Kafka 4.3.1's `MetadataVersion` says.
#[test]
fn records_have_kafkas_versions_at_each_level() {
    for level in 17..=22 {
        assert_eq!(versions(level), [3, 2, 1, 1], "{level}");
    }
    for level in 23..=29 {
        assert_eq!(versions(level), [3, 2, 2, 2], "{level}");
    }
    assert_eq!(versions(30), [4, 3, 2, 2]);
    assert_eq!(at(17).record_version(&TopicRecord::default().into()), 0);
    assert_eq!((at(21).name(), at(30).name()), ("3.9-IV0", "4.3-IV0"));
}

#[test]
fn the_table_has_no_gap_and_leads_to_the_newest_versions() {
    let levels: Vec<_> = LEVELS.iter().map(|level| level.level).collect();
    assert_eq!(levels, (MetadataVersion::MINIMUM.0..=MetadataVersion::LATEST.0).collect::<Vec<_>>());
    // A record that got a new version without a level would never be written in it.
    let records: [MetadataRecord; 6] = [
        RegisterBrokerRecord::default().into(),
        BrokerRegistrationChangeRecord::default().into(),
        PartitionRecord::default().into(),
        PartitionChangeRecord::default().into(),
        TopicRecord::default().into(),
        ConfigRecord::default().into(),
    ];
    for record in records {
        assert_eq!(MetadataVersion::LATEST.record_version(&record), record.newest_version(), "{record:?}");
    }
    assert_eq!((MetadataVersion::from_level(16), MetadataVersion::from_level(32)), (None, None));
}

#[test]
fn levels_between_which_nothing_changed() {
    assert!(at(29).is_written_as(at(23)) && at(22).is_written_as(at(17)) && at(30).is_written_as(at(30)));
    assert!(!at(30).is_written_as(at(29)) && !at(23).is_written_as(at(22)) && !at(30).is_written_as(at(17)));
    assert!(at(23).has_elr() && !at(22).has_elr());
}
