//! Facts about every message's default value.

use ottla_protocol::registry::ALL;
use ottla_protocol::schema::MessageKind;

#[test]
fn defaults_survive_every_version() {
    for entry in ALL {
        for version in entry.schema.versions.first..=entry.schema.versions.last {
            let name = entry.schema.name;
            let bytes = (entry.encode_default)(version).unwrap_or_else(|e| panic!("{name} {version}: {e}"));
            let again =
                (entry.recode)(bytes.clone(), version).unwrap_or_else(|e| panic!("{name} {version}: {e}"));
            assert_eq!(again, bytes, "{name} version {version}");
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = ALL.iter().map(|entry| entry.schema.name).collect();
    names.sort_unstable();
    assert!(names.array_windows().all(|[a, b]| a != b));
}

#[test]
fn the_key_table_agrees_with_the_structs_on_the_first_flexible_version() {
    for entry in ALL {
        let (MessageKind::Request(key) | MessageKind::Response(key)) = entry.schema.kind else { continue };
        for version in entry.schema.versions.first..=entry.schema.versions.last {
            let flexible = entry.schema.flexible.contains(version);
            assert_eq!(key.request_header_version(version) == 2, flexible, "{key} {version}");
        }
    }
}
