//! The inputs that the fuzzer found worth keeping are tried again, and reach every version of every message.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

#[path = "support/pick.rs"]
mod pick;
mod support;

use std::collections::BTreeSet;
use std::fs;

use ottla_protocol::registry::ALL;

/// One input per line, in hexadecimal.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let path = format!("{}/../../fuzz/corpus/{target}.txt", env!("CARGO_MANIFEST_DIR"));
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    let line = |line: &str| line.as_bytes().chunks(2).map(byte).collect();
    fs::read_to_string(path).unwrap().lines().map(line).collect()
}

#[test]
fn the_corpus_does_no_harm_and_reaches_everything() {
    let mut reached = BTreeSet::new();
    let mut accepted = BTreeSet::new();
    for (target, wanted) in pick::TARGETS {
        for input in inputs(target) {
            pick::recode(&input, wanted);
            let Some((entry, version, bytes)) = pick::pick(&input, wanted) else { continue };
            reached.insert((entry.schema.name, version));
            if (entry.decode)(bytes, version).is_ok() {
                accepted.insert(entry.schema.name);
            }
        }
    }
    for schema in ALL.iter().map(|entry| entry.schema) {
        assert!(accepted.contains(schema.name), "no input is a {}", schema.name);
        for version in schema.versions.first..=schema.versions.last {
            assert!(reached.contains(&(schema.name, version)), "{} {version} is not reached", schema.name);
        }
    }
}
