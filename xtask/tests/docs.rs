//! Holds what the documents promise about the tree.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

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
    ["crates/", "bins/", "xtask/", "docs/", "tests/", "fuzz/", ".ci/"].iter().any(|top| code.starts_with(top))
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

/// Each row of the table names a file, and something that stands in it.
#[test]
fn the_where_is_table_leads_to_what_it_names() {
    let text = read("ARCHITECTURE.md");
    let (_, table) = text.split_once("## Where is").unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 45, "{} rows", rows.len());
    for row in rows {
        let place = row.rsplit("| ").next().unwrap();
        let mut place = code(place);
        let path = place.next().unwrap_or_else(|| panic!("no place: {row}"));
        let items: Vec<&str> = place.collect();
        assert!(!items.is_empty(), "name what to look for in {path}: {row}");
        for item in items {
            assert!(read(path).contains(item), "{path} has no {item}");
        }
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
