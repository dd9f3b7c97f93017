//! Bytes that Kafka's own classes wrote (`cargo xtask vectors --refresh`) are read and written back unchanged, and
//! our default values are Kafka's.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::{FieldType, MessageKind, MessageSchema};
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
        for vector in vectors(name).iter().filter(|vector| vector.variant != "fields") {
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

/// The jars define no fields for the values in `__consumer_offsets`; their classes name them.
#[test]
fn fields_of_offsets_records_are_kafkas() {
    let mut checked = 0;
    for entry in kafkas() {
        for vector in vectors(entry.schema.name).iter().filter(|vector| vector.variant == "fields") {
            assert_eq!(names(entry.schema, vector.version), vector.content, "{}", entry.schema.name);
            checked += 1;
        }
    }
    assert_eq!(checked, 12, "two keys of one version, two values of five");
}

fn names(schema: &MessageSchema, version: Version) -> String {
    let present = schema.fields.iter().filter(|field| field.versions.contains(version));
    let texts = present.map(|field| match field.ty {
        FieldType::Array(&FieldType::Struct(part)) | FieldType::Struct(part) => {
            format!("{}({})", field.name, names(part, version))
        }
        _ => field.name.to_owned(),
    });
    texts.collect::<Vec<_>>().join(",")
}
