use super::*;
use crate::test_support::*;

/// The bytes in these tests are what Kafka 4.3.1 writes (`GroupCoordinatorRecordSerde`).
fn hex(text: &str) -> Bytes {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect::<Vec<_>>().into()
}

fn record(key: &str, value: Option<&str>) -> KeyValueRecord {
    KeyValueRecord { key: hex(key), value: value.map(hex) }
}

fn committed_offset() -> CommittedOffset {
    CommittedOffset {
        offset: Offset(42),
        leader_epoch: LeaderEpoch(3),
        metadata: "m".into(),
        commit_timestamp_ms: 1_000,
        expire_timestamp_ms: None,
        topic_id: ottla_types::Uuid::ZERO,
        record_offset: Offset(5),
    }
}

fn stored_group() -> StoredGroup {
    StoredGroup {
        protocol_type: Some("consumer".into()),
        generation: 1,
        protocol: Some("range".into()),
        leader: Some("a".into()),
        state_since_ms: Some(1_000),
        members: vec![StoredMember {
            id: "a".into(),
            instance_id: None,
            client_id: "c".into(),
            client_host: "/h".into(),
            rebalance_timeout_ms: 300_000,
            session_timeout_ms: 10_000,
            subscription: Bytes::from_static(&[1]),
            assignment: Bytes::from_static(&[2, 3]),
        }],
    }
}

#[test]
fn an_offset_is_written_in_version_4_and_with_its_topic_id_in_a_tag() {
    let plain = offset_commit(&"g".into(), &partition("t"), &committed_offset()).unwrap();
    let key = "0001 0001 67 0001 74 00000000";
    let value = "0004 000000000000002a 00000003 02 6d 00000000000003e8 00";
    assert_eq!(plain, record(key, Some(value)));
    let topic_id = ottla_types::Uuid([0xab; 16]);
    let with_id = CommittedOffset { topic_id, ..committed_offset() };
    let with_id = offset_commit(&"g".into(), &partition("t"), &with_id).unwrap();
    let value =
        "0004 000000000000002a 00000003 02 6d 00000000000003e8 01 00 10 abababababababababababababababab";
    assert_eq!(with_id, record(key, Some(value)));
}

#[test]
fn an_offset_with_an_expiry_is_written_in_version_1() {
    let committed = CommittedOffset { expire_timestamp_ms: Some(2_000), ..committed_offset() };
    let written = offset_commit(&"g".into(), &partition("t"), &committed).unwrap();
    let value = "0001 000000000000002a 0001 6d 00000000000003e8 00000000000007d0";
    assert_eq!(written.value, Some(hex(value)));
}

#[test]
fn a_group_is_written_in_version_3() {
    let written = group_metadata(&"g".into(), &stored_group()).unwrap();
    let value = "0003 0008 636f6e73756d6572 00000001 0005 72616e6765 0001 61 00000000000003e8 00000001 \
                 0001 61 ffff 0001 63 0002 2f68 000493e0 00002710 00000001 01 00000002 0203";
    assert_eq!(written, record("0002 0001 67", Some(value)));
}

#[test]
fn what_is_written_is_what_is_read() {
    let committed = committed_offset();
    let written = offset_commit(&"g".into(), &partition("t"), &committed).unwrap();
    let read =
        GroupRecord::Commit { group: "g".into(), partition: partition("t"), committed: Some(committed) };
    assert_eq!(decode(Offset(5), &written), Ok(read));
    let written = group_metadata(&"g".into(), &stored_group()).unwrap();
    let read = GroupRecord::Group { id: "g".into(), stored: Some(stored_group()) };
    assert_eq!(decode(Offset(5), &written), Ok(read));
}

#[test]
fn a_tombstone_has_a_key_only() {
    let written = group_tombstone(&"g".into()).unwrap();
    assert_eq!(written, record("0002 0001 67", None));
    assert_eq!(decode(Offset(0), &written), Ok(GroupRecord::Group { id: "g".into(), stored: None }));
    let written = offset_tombstone(&"g".into(), &partition("t")).unwrap();
    let read = GroupRecord::Commit { group: "g".into(), partition: partition("t"), committed: None };
    assert_eq!(decode(Offset(0), &written), Ok(read));
}

#[test]
fn records_of_old_brokers_are_read() {
    let old = record("0000 0001 67 0001 74 00000000", Some("0000 000000000000002a 0001 6d 00000000000003e8"));
    let Ok(GroupRecord::Commit { committed: Some(committed), .. }) = decode(Offset(5), &old) else {
        panic!()
    };
    assert_eq!(committed, CommittedOffset { leader_epoch: LeaderEpoch::NONE, ..committed_offset() });
    let old = record(
        "0002 0001 67",
        Some("0000 0000 00000001 ffff ffff 00000001 0001 61 0001 63 0002 2f68 00002710 00000000 00000000"),
    );
    let Ok(GroupRecord::Group { stored: Some(stored), .. }) = decode(Offset(5), &old) else { panic!() };
    assert_eq!((stored.protocol_type, stored.state_since_ms), (None, None));
    assert_eq!(stored.members[0].rebalance_timeout_ms, 10_000, "the session timeout, as there was no other");
}

#[test]
fn unknown_records_are_ignored_and_broken_ones_stop_the_load() {
    for key in ["0003 0001 67", "000f", "7fff", "ffff 00"] {
        assert_eq!(decode(Offset(0), &record(key, Some("00"))), Ok(GroupRecord::Unknown), "{key}");
    }
    let broken = [
        record("", None),
        record("00", None),
        record("0001 0001 67 0001 74", None),
        record("0001 0001 67 0001 74 00000000", Some("")),
        record("0001 0001 67 0001 74 00000000", Some("0004 00")),
        record("0001 0001 67 0001 74 00000000", Some("0005 00")),
        record("0002 ffff", None),
        record("0002 0001 67", Some("0003 0000 00000001 ffff ffff 00000000000003e8 7fffffff")),
    ];
    for record in broken {
        let error = decode(Offset(9), &record).unwrap_err();
        assert_eq!(error.offset, Offset(9), "{record:?}");
    }
}
