//! Holds what the documents promise about the tree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where the names of error codes stand, which are defined elsewhere.
const ERROR_CODES: [&str; 2] =
    ["crates/broker/src/error_codes/groups.rs", "crates/broker/src/error_codes/storage.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files of code below `folder`.
fn sources(folder: &str) -> Vec<PathBuf> {
    let (mut found, mut todo) = (Vec::new(), vec![root().join(folder)]);
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// What stands in backticks on a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_path(code: &str) -> bool {
    ["crates/", "bins/", "xtask/", "docs/", "tests/", "fuzz/", "benches/", "chaos/", ".ci/"]
        .iter()
        .any(|top| code.starts_with(top))
}

/// Every path in backticks in the documents exists.
#[test]
fn paths_in_the_documents_exist() {
    for document in ["ARCHITECTURE.md", "COMPAT.md", "CONTRIBUTING.md", "README.md"] {
        let text = read(document);
        for path in text.lines().flat_map(code).filter(|code| is_path(code)) {
            assert!(root().join(path).exists(), "{document} names {path}, which does not exist");
        }
    }
}

/// Whether `text` is code that defines `name`, or has it if that is no name of an item.
fn leads_to(text: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_item = name.chars().all(is_word) && !name.starts_with("kafka_");
    let kinds = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];
    let defines = |kind: &str| {
        let definition = format!("{kind} {name}");
        text.match_indices(&definition)
            .any(|(at, _)| !text[at + definition.len()..].chars().next().is_some_and(is_word))
    };
    if is_item { kinds.into_iter().any(defines) } else { text.contains(name) }
}

/// Above each part of the table.
const HEAD: &str = "| question | place |";

/// Each row of the table names files, and for each something that is defined there.
#[test]
fn the_where_is_table_leads_to_what_it_names() {
    let text = read("ARCHITECTURE.md");
    let (_, table) = text.split_once("## Where is").unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ") && *line != HEAD).collect();
    assert!(rows.len() >= 45, "{} rows", rows.len());
    for row in rows {
        let place = row.rsplit("| ").next().unwrap();
        let mut file: Option<(&str, String)> = None;
        for word in code(place) {
            match &file {
                _ if is_path(word) => file = Some((word, read(word))),
                Some((path, text)) if path.ends_with(".rs") && !ERROR_CODES.contains(path) => {
                    assert!(leads_to(text, word), "{path} does not define {word}");
                }
                Some((path, text)) => assert!(text.contains(word), "{path} has no {word}"),
                None => panic!("name a file first: {row}"),
            }
        }
        let (path, _) = file.unwrap_or_else(|| panic!("no place: {row}"));
        assert!(!code(place).last().is_some_and(is_path), "name what to look for in {path}: {row}");
    }
}

/// Links between documents lead somewhere.
#[test]
fn links_in_the_documents_lead_to_files() {
    for document in ["ARCHITECTURE.md", "COMPAT.md", "CONTRIBUTING.md", "README.md", "CHANGELOG.md"] {
        for link in read(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            let elsewhere = path.is_empty() || path.contains("://");
            assert!(
                elsewhere || root().join(path).exists(),
                "{document} links to {path}, which does not exist"
            );
        }
    }
}

/// Every crate is on the map.
#[test]
fn the_code_map_has_every_crate() {
    let map = read("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            map.contains(&format!("`crates/{name}`")),
            "ARCHITECTURE.md does not say what crates/{name} is"
        );
    }
}

/// Codes are a word of the wire: what decides has errors of its own.
#[test]
fn error_codes_appear_only_where_the_wire_does() {
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let on_the_wire = ["protocol", "protocol-derive", "server", "controller", "broker", "client", "node"];
        if on_the_wire.contains(&name.as_str()) || name == "testkit" {
            continue;
        }
        for path in sources(&format!("crates/{name}/src")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("ErrorCode::"), "{} names error codes", path.display());
        }
    }
}

/// A queue without a bound is a memory leak that waits for a slow peer.
#[test]
fn no_queue_is_unbounded() {
    for path in sources("crates") {
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("unbounded_channel("), "{} has a queue without a bound", path.display());
    }
}

/// Files of code stay small enough to read; where one grows, it is split by operation.
#[test]
fn no_source_file_is_too_long() {
    for path in ["crates", "bins", "xtask/src"].into_iter().flat_map(sources) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines; split it by operation", path.display());
    }
}
