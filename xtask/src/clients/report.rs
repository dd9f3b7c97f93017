//! The results, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::Results;
use super::spec::{CAPABILITIES, Client};

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Tables.
    Text,
    /// One JSON object.
    Json,
}

/// How a cell came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// The client itself cannot do it.
    Lacks,
}

/// A client's capability.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    /// How it came out.
    pub(crate) status: Status,
    /// Why it failed, or what the client lacks.
    pub(crate) detail: String,
    /// How long it took.
    pub(crate) seconds: f32,
}

impl Cell {
    pub(crate) fn new(status: Status, detail: String) -> Self {
        Self { status, detail, seconds: 0.0 }
    }

    pub(crate) fn passed() -> Self {
        Self::new(Status::Passed, String::new())
    }

    pub(crate) fn took(self, time: Duration) -> Self {
        Self { seconds: time.as_secs_f32(), ..self }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "ok",
            Self::Failed => "FAIL",
            Self::Lacks => "n/a",
        })
    }
}

/// Prints everything; gives the number of failures. A capability without a result counts as one.
#[expect(clippy::print_stdout, reason = "results go to standard output")]
pub(crate) fn print(format: Format, clients: &[Client], results: &Results, took: Duration) -> usize {
    let none = BTreeMap::new();
    let cells = |client: &Client| results.get(&client.name).unwrap_or(&none);
    let failed = |client: &Client| {
        let passed = |capability: &&str| {
            cells(client).get(*capability).is_some_and(|cell| cell.status != Status::Failed)
        };
        client.capabilities().filter(|capability| !passed(capability)).count()
    };
    let failures = clients.iter().map(failed).sum();
    match format {
        Format::Json => {
            println!("{}", json!({"clients": results, "failures": failures, "seconds": took.as_secs()}));
        }
        Format::Text => print!("{}", text(clients, results, failures, took)),
    }
    failures
}

fn text(clients: &[Client], results: &Results, failures: usize, took: Duration) -> String {
    let width = clients.iter().map(|client| client.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    if clients.iter().any(|client| !client.is_special()) {
        out += &format!("\n{:width$}", "");
        for (_, heading) in CAPABILITIES {
            out += &format!("  {heading}");
        }
        out += "\n";
    }
    for client in clients.iter().filter(|client| !client.is_special()) {
        out += &format!("{:width$}", client.name);
        for (capability, heading) in CAPABILITIES {
            out += &format!("  {:<1$}", mark(results, client, capability), heading.len());
        }
        out += "\n";
    }
    for client in clients.iter().filter(|client| client.is_special()) {
        out += &format!("\n{}\n", client.name);
        for capability in client.capabilities() {
            out += &format!("  {capability:24}{}\n", mark(results, client, capability));
        }
    }
    out += &details(results, Status::Lacks, "\nn/a: what a client itself lacks\n");
    out += &details(results, Status::Failed, "\nFAIL\n");
    out += &format!("\n{failures} failed, {} s\n", took.as_secs());
    out
}

fn mark(results: &Results, client: &Client, capability: &str) -> String {
    let cell = results.get(&client.name).and_then(|cells| cells.get(capability));
    cell.map_or_else(|| "FAIL".to_owned(), |cell| cell.status.to_string())
}

fn details(results: &Results, status: Status, heading: &str) -> String {
    let mut out = String::new();
    for (client, cells) in results {
        for (capability, cell) in cells.iter().filter(|(_, cell)| cell.status == status) {
            out += &format!("  {client} {capability}: {}\n", cell.detail);
        }
    }
    if out.is_empty() { out } else { format!("{heading}{out}") }
}
