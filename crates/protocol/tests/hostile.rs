//! Input that means harm: each is refused with an error, in little memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod support;

use std::fs;

use ottla_protocol::frame::{decode_body, decode_request_body, decode_request_header};
use ottla_protocol::messages::{
    DescribeConfigsResponse, FetchRequest, HeartbeatResponse, MetadataRequest, OffsetFetchRequest,
};
use ottla_protocol::registry::{ALL, RecodeError};
use ottla_protocol::{ApiKey, Bytes, DecodeErrorKind, Message, Version};

use crate::support::RandomMessage;

/// A large enough random message of each kind and version.
fn messages() -> impl Iterator<Item = (&'static ottla_protocol::registry::Entry, Version, Vec<u8>)> {
    ALL.iter().flat_map(|entry| {
        (entry.schema.versions.first..=entry.schema.versions.last).map(move |version| {
            let longest = (0..8).map(|seed| RandomMessage::new(entry.schema, version, seed).bytes);
            (
                entry,
                version,
                longest.filter(|bytes| bytes.len() < 2000).max_by_key(Vec::len).unwrap_or_default(),
            )
        })
    })
}

#[test]
fn a_truncated_message_is_refused_wherever_it_ends() {
    for (entry, version, bytes) in messages() {
        let bytes = Bytes::from(bytes);
        for len in 0..bytes.len() {
            let result = (entry.recode)(bytes.slice(..len), version);
            assert!(
                matches!(result, Err(RecodeError::Decode(_))),
                "{} {version} at {len}",
                entry.schema.name
            );
        }
    }
}

#[test]
fn bytes_behind_a_message_are_refused() {
    for (entry, version, mut bytes) in messages() {
        bytes.push(0);
        let Err(RecodeError::Decode(error)) = (entry.recode)(bytes.into(), version) else {
            panic!("{} {version}", entry.schema.name);
        };
        assert_eq!(error.kind(), DecodeErrorKind::Trailing(1), "{} {version}", entry.schema.name);
    }
}

/// Every place of every message says for once that 2³¹−1 or so of something follow.
#[test]
fn huge_and_negative_counts_anywhere_cost_little_memory() {
    let before = peak_memory_kib();
    for (entry, version, bytes) in messages() {
        for at in 0..bytes.len() {
            for lie in [
                &[0x7f, 0xff, 0xff, 0xff][..],
                &[0x80, 0, 0, 0],
                &[0xff, 0xff, 0xff, 0xfe],
                &[0xff, 0xff, 0xff, 0xff, 0x07],
                &[0x7f, 0xff],
                &[0x80, 0],
            ] {
                let mut bytes = bytes.clone();
                let end = bytes.len().min(at + lie.len());
                bytes.splice(at..end, lie.iter().copied());
                // Some lies are in payloads and do no harm.
                let _ = (entry.recode)(bytes.into(), version);
            }
        }
    }
    let grown = peak_memory_kib() - before;
    assert!(grown < 32 << 10, "{grown} KiB");
}

/// The most memory that the process ever had; 0 where the system does not tell.
fn peak_memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

#[test]
fn a_frame_full_of_tiny_elements_may_not_grow_beyond_its_budget() {
    // Each group takes 3 bytes on the wire and some 100 in memory.
    let mut bytes = vec![0xff, 0xff, 0xff, 0x07];
    bytes.resize(16 << 20, 0);
    let error = decode_body::<OffsetFetchRequest>(bytes.into(), 8).unwrap_err();
    assert!(
        matches!(error.kind(), DecodeErrorKind::Count { .. } | DecodeErrorKind::Memory { .. }),
        "{error}"
    );
}

#[test]
fn a_large_frame_may_grow_less_than_a_small_one() {
    // Each topic takes 4 bytes on the wire and some 100 in memory.
    let request = |topics: usize| {
        let mut bytes = vec![2, 2, b'g'];
        let mut count = topics + 1;
        while count > 0x7f {
            bytes.push(count as u8 | 0x80);
            count >>= 7;
        }
        bytes.push(count as u8);
        bytes.extend(std::iter::repeat_n([2, b't', 1, 0], topics).flatten());
        bytes.extend([0, 0, 0]);
        decode_request_body::<OffsetFetchRequest>(bytes.into(), 8).map(|(_, memory)| memory)
    };
    let small = request(100_000).expect("every topic of a small frame may be empty");
    assert!(small > 6 << 20, "{small}");
    let error = request(8 << 20).unwrap_err();
    let DecodeErrorKind::Memory { limit } = error.kind() else { panic!("{error}") };
    assert!(limit <= 256 << 20, "{limit}");
}

#[test]
fn a_million_tagged_fields_are_refused() {
    // A heartbeat's answer: throttle time, error code, tagged fields.
    let mut bytes = vec![0, 0, 0, 0, 0, 0, 0x80, 0x80, 0x40];
    bytes.resize(4 << 20, 0);
    let error = decode_body::<HeartbeatResponse>(bytes.into(), 4).unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::Count { count: 0x10_0000, .. }), "{error}");
}

#[test]
fn every_version_that_a_message_does_not_have_is_refused() {
    for entry in ALL {
        let known = entry.schema.versions;
        for version in
            (0..=Version::MAX).chain([Version::MIN, -1]).filter(|version| !known.contains(*version))
        {
            let Err(RecodeError::Decode(error)) = (entry.recode)(Bytes::new(), version) else {
                panic!("{} {version}", entry.schema.name);
            };
            let expected = DecodeErrorKind::Version { version, first: known.first, last: known.last };
            assert_eq!(error.kind(), expected, "{}", entry.schema.name);
        }
    }
}

#[test]
fn a_header_of_any_key_and_version_can_be_read() {
    let keys = (0..=i16::MAX).chain([i16::MIN, -1]);
    for key in keys {
        let versions = if ApiKey::from_code(key).is_some() { 0..=i16::MAX } else { 0..=3 };
        for version in versions.chain([i16::MIN, -1]) {
            let [k, v] = [key.to_be_bytes(), version.to_be_bytes()];
            let mut frame = Bytes::copy_from_slice(&[k[0], k[1], v[0], v[1], 0, 0, 0, 7, 0xff, 0xff, 0, 9]);
            let header = decode_request_header(&mut frame).unwrap();
            assert_eq!((header.request_api_key, header.request_api_version), (key, version));
            assert_eq!((header.correlation_id, header.client_id), (7, None));
        }
    }
}

#[test]
fn an_error_names_field_and_place() {
    // A fetch of version 4: replica, wait, bytes, bytes, isolation, one topic `a` with one partition that ends early.
    let mut bytes = vec![0; 17];
    bytes.extend([0, 0, 0, 1, 0, 1, b'a', 0, 0, 0, 1, 0, 0, 0, 0]);
    let error = decode_body::<FetchRequest>(bytes.into(), 4).unwrap_err();
    assert_eq!(error.path(), "topics[0].partitions");
    assert_eq!(
        error.to_string(),
        "topics[0].partitions, at byte 28, claims 1 elements, more than the 4 bytes left can hold"
    );
}

#[test]
fn values_that_are_wrong_are_named() {
    let kind = |bytes: &'static [u8], version| {
        decode_body::<MetadataRequest>(bytes.into(), version).unwrap_err().kind()
    };
    assert_eq!(
        kind(&[0xff, 0xff, 0xff, 0xff], 0),
        DecodeErrorKind::Null,
        "all topics is an empty list in version 0"
    );
    assert_eq!(kind(&[0xff, 0xff, 0xff, 0xfe], 1), DecodeErrorKind::NegativeLength(-2));
    assert_eq!(kind(&[0, 0, 0, 1, 0, 1, 0xff], 1), DecodeErrorKind::Utf8);
    assert_eq!(kind(&[0xff, 0xff, 0xff, 0xff, 0x1f], 9), DecodeErrorKind::Varint);
    assert_eq!(kind(&[0, 0, 0, 0, 0], 1), DecodeErrorKind::Trailing(1));
}

#[test]
fn a_tagged_field_must_fill_its_length() {
    // ApiVersions 3: error, no APIs, throttle, then tag 1 (an int64) of nine bytes.
    let bytes = [&[0, 0, 1, 0, 0, 0, 0, 1, 1, 9][..], &[0; 9]].concat();
    let error = decode_body::<ottla_protocol::messages::ApiVersionsResponse>(bytes.into(), 3).unwrap_err();
    assert_eq!(error.kind(), DecodeErrorKind::TagLength { tag: 1, declared: 9, used: 8 });
}

#[test]
fn the_smallest_size_of_every_struct_is_not_too_large() {
    // Counts are checked against it, so it must not refuse what is valid.
    assert_eq!(<DescribeConfigsResponse as Message>::MIN_SIZE, 5);
    for entry in ALL {
        for version in entry.schema.versions.first..=entry.schema.versions.last {
            assert!((entry.encode_default)(version).is_ok());
        }
    }
}
