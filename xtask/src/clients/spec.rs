//! `client.toml`: what a client's folder says about it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::report::{Cell, Status};
use crate::Failure;

/// The columns of the table: key and heading.
pub(crate) const CAPABILITIES: [(&str, &str); 17] = [
    ("none", "none"),
    ("gzip", "gzip"),
    ("snappy", "snappy"),
    ("lz4", "lz4"),
    ("zstd", "zstd"),
    ("keys", "keys"),
    ("nulls", "nulls"),
    ("headers", "headers"),
    ("timestamps", "times"),
    ("lookup", "lookup"),
    ("group", "group"),
    ("commit", "commit"),
    ("static", "static"),
    ("topics", "topics"),
    ("configs", "configs"),
    ("idempotence", "idemp."),
    (CROSS, "cross"),
];

/// Reads what the other clients wrote; runs after all the others.
pub(crate) const CROSS: &str = "cross";

/// A client.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    /// The folder's name.
    #[serde(skip)]
    pub(crate) name: String,
    /// The folder.
    #[serde(skip)]
    pub(crate) folder: PathBuf,
    /// How it is installed and started.
    pub(crate) kind: Kind,
    /// Passed to the program before all other arguments.
    pub(crate) argument: Option<String>,
    /// Commands of the system that it needs, named as their Debian packages.
    #[serde(default)]
    pub(crate) system: Vec<String>,
    /// Capabilities of its own, in place of those of all.
    #[serde(default, rename = "capabilities")]
    own: Vec<String>,
    /// What the client itself cannot do, with the reason.
    #[serde(default)]
    pub(crate) lacks: BTreeMap<String, String>,
}

/// The languages.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// `main.py`; packages of python/requirements.txt.
    Python,
    /// `main.js`; packages of the folder's package-lock.json.
    Node,
    /// A main package of the module in tests/clients.
    Go,
    /// The program in java/src.
    Java,
    /// A cargo package of its own.
    Cargo,
}

impl Client {
    /// Whether it has capabilities of its own, and so a table of its own.
    pub(crate) fn is_special(&self) -> bool {
        !self.own.is_empty()
    }

    /// What is tried with it.
    pub(crate) fn capabilities(&self) -> impl Iterator<Item = &str> {
        let common = CAPABILITIES.iter().map(|(key, _)| *key).filter(|_| self.own.is_empty());
        common.chain(self.own.iter().map(String::as_str))
    }

    /// Cells that are known without running anything.
    pub(crate) fn missing(&self, files_at_hand: bool) -> BTreeMap<String, Cell> {
        let lacks = self
            .lacks
            .iter()
            .map(|(capability, reason)| (capability.clone(), Cell::new(Status::Lacks, reason.clone())));
        let unreachable =
            (!files_at_hand && self.own.iter().any(|one| one == "DumpLogSegments")).then(|| {
                let reason = "the files of a cluster that was already running are not at hand".to_owned();
                ("DumpLogSegments".to_owned(), Cell::new(Status::Lacks, reason))
            });
        lacks.chain(unreachable).collect()
    }
}

/// The clients of `sources`, or those of them that are named in `only`.
pub(crate) fn load(sources: &Path, only: &[String]) -> Result<Vec<Client>, Failure> {
    let mut clients = Vec::new();
    for entry in fs::read_dir(sources)? {
        let folder = entry?.path();
        let Ok(text) = fs::read_to_string(folder.join("client.toml")) else { continue };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let client: Client = toml::from_str(&text).map_err(|error| format!("{name}/client.toml: {error}"))?;
        clients.push(Client { name, folder, ..client });
    }
    clients.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(unknown) = only.iter().find(|name| clients.iter().all(|client| client.name != **name)) {
        let known: Vec<_> = clients.iter().map(|client| client.name.as_str()).collect();
        return Err(format!("no client {unknown}; there are {}", known.join(", ")).into());
    }
    clients.retain(|client| only.is_empty() || only.contains(&client.name));
    Ok(clients)
}
