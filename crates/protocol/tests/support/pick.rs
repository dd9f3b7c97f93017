//! What a fuzzer's input means, for the fuzz targets and for whoever runs their inputs again.

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::MessageKind;
use ottla_protocol::{Bytes, Version};

use super::support::RandomMessage;

/// Which kinds of messages a target tries.
pub(crate) type Wanted = fn(MessageKind) -> bool;

/// The fuzz targets.
pub(crate) const TARGETS: [(&str, Wanted); 3] = [
    ("requests", |kind| matches!(kind, MessageKind::Request(_))),
    ("responses", |kind| matches!(kind, MessageKind::Response(_))),
    ("internal_records", |kind| matches!(kind, MessageKind::Record(_) | MessageKind::Data)),
];

/// The message, version and bytes that an input stands for.
///
/// ```text
/// message u8 │ version u8 │ mode u8 │ the bytes, or a seed u64 and bytes to plant into a random valid message
/// ```
pub(crate) fn pick(input: &[u8], wanted: Wanted) -> Option<(&'static Entry, Version, Bytes)> {
    let [message, version, mode, rest @ ..] = input else { return None };
    let entries: Vec<&Entry> = ALL.iter().filter(|entry| wanted(entry.schema.kind)).collect();
    let entry = entries[usize::from(*message) % entries.len()];
    let versions = entry.schema.versions;
    let version = versions.first + Version::from(*version) % (versions.last - versions.first + 1);
    let bytes = if mode % 2 == 0 { Bytes::copy_from_slice(rest) } else { planted(entry, version, rest) };
    Some((entry, version, bytes))
}

/// Decodes what an input stands for. If it is a message, it is one again after it was written.
#[allow(dead_code, reason = "not for those who only count")]
pub(crate) fn recode(input: &[u8], wanted: Wanted) {
    let Some((entry, version, bytes)) = pick(input, wanted) else { return };
    if let Ok(once) = (entry.recode)(bytes, version) {
        let twice = (entry.recode)(once.clone(), version);
        assert_eq!(twice, Ok(once), "{} {version}", entry.schema.name);
    }
}

/// A random valid message in which some bytes were overwritten.
fn planted(entry: &Entry, version: Version, rest: &[u8]) -> Bytes {
    let Some((seed, [at, plant @ ..])) = rest.split_first_chunk().map(|(s, r)| (u64::from_le_bytes(*s), r))
    else {
        return Bytes::new();
    };
    let mut bytes = RandomMessage::new(entry.schema, version, seed).bytes;
    let at = usize::from(*at) % (bytes.len() + 1);
    let end = bytes.len().min(at + plant.len());
    bytes.splice(at..end, plant.iter().copied());
    bytes.into()
}
