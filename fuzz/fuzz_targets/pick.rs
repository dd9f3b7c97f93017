//! What the first bytes of an input choose.

use ottla_protocol::registry::{ALL, Entry};
use ottla_protocol::schema::MessageKind;
use ottla_protocol::{Bytes, Version};

#[path = "../../crates/protocol/tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

/// Decodes an input as one of the messages that `wanted` allows.
///
/// ```text
/// message u8 │ version u8 │ mode u8 │ the bytes, or a seed u64 and bytes to plant into a random valid message
/// ```
pub fn recode(input: &[u8], wanted: impl Fn(MessageKind) -> bool) {
    let [message, version, mode, rest @ ..] = input else { return };
    let entries: Vec<&Entry> = ALL.iter().filter(|entry| wanted(entry.schema.kind)).collect();
    let entry = entries[usize::from(*message) % entries.len()];
    let versions = entry.schema.versions;
    let version = versions.first + Version::from(*version) % (versions.last - versions.first + 1);
    let bytes = if mode % 2 == 0 { Bytes::copy_from_slice(rest) } else { planted(entry, version, rest) };
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
    let mut bytes = support::RandomMessage::new(entry.schema, version, seed).bytes;
    let at = usize::from(*at) % (bytes.len() + 1);
    let end = bytes.len().min(at + plant.len());
    bytes.splice(at..end, plant.iter().copied());
    bytes.into()
}
