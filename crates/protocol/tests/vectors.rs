//! Bytes that Kafka's own classes wrote (`cargo xtask vectors --refresh`) are read and written back unchanged, and
//! our default values are Kafka's.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::MessageKind;
use ottla_protocol::{Bytes, Version};

/// One line of a file.
struct Vector {
    version: Version,
    variant: String,
    content: String,
}

impl Vector {
    fn bytes(&self) -> Bytes {
        let digits: Vec<u32> = self.content.chars().map(|c| c.to_digit(16).unwrap()).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors")
}

fn vectors(name: &str) -> Vec<Vector> {
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    let line = |line: &str| {
        let mut parts = line.splitn(3, ' ').map(str::to_owned);
        let mut part = || parts.next().unwrap();
        Vector { version: part().parse().unwrap(), variant: part(), content: part() }
    };
    text.lines().map(line).collect()
}

/// All messages that Kafka has too.
fn kafkas() -> impl Iterator<Item = &'static Entry> {
    ALL.iter().filter(|entry| match entry.schema.kind {
        MessageKind::Request(key) | MessageKind::Response(key) => !key.is_private(),
        _ => true,
    })
}

#[test]
fn kafkas_bytes_come_back_unchanged() {
    for entry in kafkas() {
        let name = entry.schema.name;
        for vector in vectors(name).iter() {
            let bytes = vector.bytes();
            let again = (entry.recode)(bytes.clone(), vector.version);
            assert_eq!(again, Ok(bytes), "{name} version {} {}", vector.version, vector.variant);
        }
    }
}

#[test]
fn default_values_are_kafkas() {
    for entry in kafkas() {
        let name = entry.schema.name;
        for vector in vectors(name).iter().filter(|vector| vector.variant == "default") {
            let ours = (entry.encode_default)(vector.version);
            assert_eq!(ours, Ok(vector.bytes()), "{name} version {}", vector.version);
        }
    }
}

#[test]
fn every_version_has_vectors() {
    for entry in kafkas() {
        let versions: BTreeSet<_> = vectors(entry.schema.name).iter().map(|vector| vector.version).collect();
        let expected = entry.schema.versions.first..=entry.schema.versions.last;
        assert_eq!(versions, expected.collect(), "{}", entry.schema.name);
    }
}

/// Kafka 4.4 has 91 APIs with 309 versions; each has its request and its response.
#[test]
fn all_of_kafka_4_4_is_there() {
    let requests: Vec<_> =
        kafkas().filter(|entry| matches!(entry.schema.kind, MessageKind::Request(_))).collect();
    let versions = |entry: &&Entry| (entry.schema.versions.first..=entry.schema.versions.last).count();
    assert_eq!((requests.len(), requests.iter().map(versions).sum::<usize>()), (91, 309));
    for request in requests {
        let response = request.schema.name.replace("Request", "Response");
        let response = Entry::find(&response).map(|entry| entry.schema);
        assert_eq!(
            response.map(|schema| schema.versions),
            Some(request.schema.versions),
            "{}",
            request.schema.name
        );
    }
}
