//! Holds what the documents promise about the tree.

use std::path::Path;

/// Every path in backticks in ARCHITECTURE.md exists.
#[test]
fn paths_in_the_architecture_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let paths: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|code| {
            ["crates/", "bins/", "xtask/", "docs/", "tests/", "fuzz/", ".ci/"]
                .iter()
                .any(|top| code.starts_with(top))
        })
        .collect();
    assert!(paths.len() > 40, "the code map and the where-is table name {} paths", paths.len());
    for path in paths {
        assert!(root.join(path).exists(), "ARCHITECTURE.md names {path}, which does not exist");
    }
}

/// Files of code stay small enough to read; where one grows, it is split by operation.
#[test]
fn no_source_file_is_too_long() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut todo = vec![root.join("crates"), root.join("bins"), root.join("xtask/src")];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines <= 800, "{} has {lines} lines; split it by operation", path.display());
            }
        }
    }
}
