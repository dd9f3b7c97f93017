//! Holds the dependency rules of `xtask/layers.toml`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

struct Workspace {
    metadata: Value,
    rules: toml::Table,
}

fn workspace() -> Workspace {
    let output =
        Command::new(env!("CARGO")).args(["metadata", "--format-version=1", "--locked"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rules = include_str!("../layers.toml").parse().unwrap();
    Workspace { metadata: serde_json::from_slice(&output.stdout).unwrap(), rules }
}

impl Workspace {
    /// Our packages: name without `ottla-` for libraries, and their declared dependencies by kind.
    fn members(&self) -> BTreeMap<String, Vec<(String, bool)>> {
        let ids: BTreeSet<&str> =
            self.metadata["workspace_members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        self.metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|package| ids.contains(package["id"].as_str().unwrap()))
            .map(|package| {
                let dependencies = package["dependencies"].as_array().unwrap().iter();
                let dependencies = dependencies
                    .map(|d| (short(d["name"].as_str().unwrap()).to_owned(), d["kind"] == "dev"))
                    .collect();
                (short(package["name"].as_str().unwrap()).to_owned(), dependencies)
            })
            .collect()
    }

    fn allowed(&self, member: &str) -> Vec<&str> {
        let list = self.rules.get(member).or_else(|| self.rules["bins"].get(member));
        let list = list.unwrap_or_else(|| panic!("{member} is missing in xtask/layers.toml"));
        list.as_array().unwrap().iter().filter_map(toml::Value::as_str).collect()
    }

    fn table(&self, name: &str) -> &toml::Table {
        self.rules[name].as_table().unwrap()
    }

    /// Everything that a package links, by package name; development dependencies left out.
    fn closure(&self, member: &str) -> BTreeSet<String> {
        let nodes: BTreeMap<&str, &Value> = self.metadata["resolve"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| (node["id"].as_str().unwrap(), node))
            .collect();
        let packages = self.metadata["packages"].as_array().unwrap();
        let names: BTreeMap<&str, &str> =
            packages.iter().map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap())).collect();
        let root = *names.iter().find(|(_, name)| short(name) == member).unwrap().0;
        let (mut seen, mut todo) = (BTreeSet::new(), vec![root]);
        while let Some(id) = todo.pop() {
            for dependency in nodes[id]["deps"].as_array().unwrap() {
                let normal = dependency["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null());
                let id = dependency["pkg"].as_str().unwrap();
                if normal && seen.insert(names[id].to_owned()) {
                    todo.push(id);
                }
            }
        }
        seen
    }
}

fn short(package: &str) -> &str {
    match package.strip_prefix("ottla-") {
        Some(name) if !package.ends_with("-bin") => name,
        _ => package,
    }
}

#[test]
fn crates_depend_only_on_what_the_layers_allow() {
    let workspace = workspace();
    let members = workspace.members();
    for (member, dependencies) in &members {
        let allowed = workspace.allowed(member);
        for (dependency, dev) in dependencies.iter().filter(|(name, _)| members.contains_key(name)) {
            let for_tests = *dev && matches!(dependency.as_str(), "simdisk" | "testkit" | "env");
            assert!(
                allowed.contains(&dependency.as_str()) || for_tests,
                "{member} depends on {dependency}: remove it, or allow the arrow in xtask/layers.toml with a reason"
            );
        }
    }
}

#[test]
fn crates_with_an_owner_are_named_by_it_alone() {
    let workspace = workspace();
    for (owned, owner) in workspace.table("owners") {
        for (member, dependencies) in workspace.members() {
            let named = dependencies.iter().any(|(name, dev)| name == owned && !dev);
            assert!(
                !named || Some(member.as_str()) == owner.as_str(),
                "{member} names {owned}, which {owner:?} owns"
            );
        }
    }
}

#[test]
fn crates_that_must_be_absent_are() {
    let workspace = workspace();
    for (absent, below) in workspace.table("absent") {
        for member in below.as_array().unwrap().iter().filter_map(toml::Value::as_str) {
            assert!(
                !workspace.closure(member).contains(absent),
                "{member} links {absent}: cargo tree -p ottla-{member} -i {absent}"
            );
        }
    }
}
