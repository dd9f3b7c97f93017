//! The records that every client sends, and the hashes that must come back.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::Failure;

/// Capabilities whose topics the other clients read afterwards, and how many records each has.
pub(crate) const CROSS: [(&str, usize); 7] = [
    ("none", TEXT),
    ("gzip", TEXT),
    ("snappy", TEXT),
    ("lz4", TEXT),
    ("zstd", TEXT),
    ("nulls", NULLS),
    ("headers", HEADERS),
];

const TEXT: usize = 200;
const KEYS: usize = 230;
const NULLS: usize = 40;
const HEADERS: usize = 20;

struct Record {
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(&'static str, &'static str)>,
    timestamp: i64,
}

/// Writes `NAME.jsonl` for each set of records; gives the hash that each capability must come to.
pub(crate) fn write(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    // An hour ago: retention must not find the records old.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let start = i64::try_from(now)? - 3_600_000;
    let text = text(start);
    let (keys, nulls, headers) = (keys(start), nulls(start), headers(start));
    for (name, records) in [("text", &text), ("keys", &keys), ("nulls", &nulls), ("headers", &headers)] {
        fs::write(folder.join(format!("{name}.jsonl")), lines(records))?;
    }
    let mut hashes = BTreeMap::new();
    for capability in ["none", "gzip", "snappy", "lz4", "zstd", "idempotence", "ConsoleConsumer"] {
        hashes.insert(capability.to_owned(), hash(&text, false));
    }
    hashes.insert("timestamps".to_owned(), hash(&text, true));
    hashes.insert("commit".to_owned(), hash(&text[TEXT / 2..], false));
    hashes.insert("keys".to_owned(), hash(&keys, false));
    hashes.insert("nulls".to_owned(), hash(&nulls, false));
    hashes.insert("headers".to_owned(), hash(&headers, false));
    Ok(hashes)
}

/// Writes the list of topics that a client is to read.
pub(crate) fn write_cross(
    folder: &Path,
    prefix: &str,
    topics: &BTreeMap<String, (usize, String)>,
) -> Result<(), Failure> {
    let rows: Vec<_> =
        topics.iter().map(|(topic, (count, _))| json!({"topic": topic, "count": count})).collect();
    Ok(fs::write(folder.join(format!("{prefix}.cross.json")), serde_json::to_vec(&rows)?)?)
}

/// Records of many sizes, some without a key, a second apart.
fn text(start: i64) -> Vec<Record> {
    let record = |i: usize, at: i64| Record {
        key: (i % 5 != 4).then(|| format!("key-{i}")),
        value: Some(format!("{i:06} {}", "päckchen ".repeat(i % 40))),
        headers: Vec::new(),
        timestamp: start + at * 1000,
    };
    (0..TEXT).zip(0..).map(|(i, at)| record(i, at)).collect()
}

/// Keys that come back again, and values whose order is their number.
fn keys(start: i64) -> Vec<Record> {
    let record = |i: usize| Record {
        key: (i % 10 != 9).then(|| format!("key-{}", i % 23)),
        value: Some(format!("{i:06}")),
        headers: Vec::new(),
        timestamp: start,
    };
    (0..KEYS).map(record).collect()
}

/// Records without value, records without key, but none without both: some clients refuse these.
fn nulls(start: i64) -> Vec<Record> {
    let record = |i: usize| Record {
        key: (i % 4 != 2).then(|| format!("key-{i}")),
        value: i.is_multiple_of(2).then(|| format!("value-{i}")),
        headers: Vec::new(),
        timestamp: start,
    };
    (0..NULLS).map(record).collect()
}

/// The same headers everywhere, for kcat: a name twice, an empty value, text outside of ASCII.
fn headers(start: i64) -> Vec<Record> {
    let record = |i: usize| Record {
        key: Some(format!("key-{i}")),
        value: Some(format!("value-{i}")),
        headers: vec![("trace", "1"), ("trace", "2"), ("empty", ""), ("zoll", "ß")],
        timestamp: start,
    };
    (0..HEADERS).map(record).collect()
}

fn lines(records: &[Record]) -> String {
    let encode = |text: &Option<String>| text.as_ref().map(|text| base64(text.as_bytes()));
    let line = |record: &Record| {
        let headers: Vec<_> =
            record.headers.iter().map(|(name, value)| json!([name, base64(value.as_bytes())])).collect();
        let (key, value) = (encode(&record.key), encode(&record.value));
        json!({"key": key, "value": value, "headers": headers, "timestamp": record.timestamp}).to_string()
            + "\n"
    };
    records.iter().map(line).collect()
}

/// SHA-256 over `[time|]key|value|name=value,…` lines, bytes as hexadecimal digits, null as `-`.
fn hash(records: &[Record], timestamps: bool) -> String {
    let text =
        |field: &Option<String>| field.as_ref().map_or_else(|| "-".to_owned(), |text| hex(text.as_bytes()));
    let mut digest = Sha256::new();
    for record in records {
        if timestamps {
            digest.update(format!("{}|", record.timestamp));
        }
        let headers: Vec<_> =
            record.headers.iter().map(|(name, value)| format!("{name}={}", hex(value.as_bytes()))).collect();
        digest.update(format!("{}|{}|{}\n", text(&record.key), text(&record.value), headers.join(",")));
    }
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 63;
            out.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foo"), "Zm9v");
        assert_eq!(base64("ß?".as_bytes()), "w58/");
    }

    #[test]
    fn the_hash_sees_every_field() {
        let one = || headers(5);
        let base = hash(&one(), true);
        let mut other = one();
        other[0].timestamp += 1;
        assert_ne!(hash(&other, true), base);
        assert_eq!(hash(&other, false), hash(&one(), false));
        other[0].headers.swap(0, 1);
        assert_ne!(hash(&other, false), hash(&one(), false));
    }
}
