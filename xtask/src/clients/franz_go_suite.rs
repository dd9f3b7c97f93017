//! franz-go's own tests of its client package, those that need no transactions, against a running node.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::session::progress;
use super::{Arguments, Places, install, start_server};
use crate::Failure;
use crate::kafka_jars::run;

/// The module and the version that the clients are built with too.
const MODULE: &str = "github.com/twmb/franz-go";

/// Tests that use transactions, share groups or the consumer protocol of KIP-848.
const SKIP: &str = "Txn|Transact|EOS|Share|848|NextGen";

/// Runs the tests; their output goes through.
pub(crate) fn run_suite(seeds: &str, places: &Places) -> Result<(), Failure> {
    let version = version(places)?;
    progress(&format!("{MODULE} {version}: package kgo"));
    let copy = places.installed.join("franz-go-suite").join(&version);
    if !copy.join("pkg/kgo").exists() {
        let mut download = Command::new("go");
        download.args(["mod", "download", "-json", &format!("{MODULE}@{version}")]);
        let output = download.current_dir(&places.sources).output()?;
        let answer: Value = serde_json::from_slice(&output.stdout)?;
        let source = answer["Dir"].as_str().ok_or("go mod download names no folder")?;
        fs::create_dir_all(&copy)?;
        // The module cache is read-only.
        run(Command::new("cp").args(["-r", "--no-preserve=mode"]).arg(format!("{source}/.")).arg(&copy))?;
    }
    let mut go = Command::new("go");
    go.args(["test", "-count=1", "-timeout=20m", "-v", "-skip", SKIP, "./pkg/kgo"]);
    go.current_dir(&copy).env("KGO_SEEDS", seeds).env("KGO_TEST_RF", "1").env("KGO_TEST_RECORDS", "50000");
    run(&mut go)
}

/// Starts a node where none is named, and runs the tests against it.
pub(crate) fn run_with_server(arguments: &Arguments, places: &Places) -> Result<(), Failure> {
    install::install(places, &[], arguments.kafka)?;
    let work = tempfile::Builder::new().prefix("ottla-clients-").disable_cleanup(arguments.keep).tempdir()?;
    let server = start_server(arguments, places, work.path())?;
    let result = run_suite(&server.bootstrap, places);
    server.stop().and(result)
}

/// The version in go.mod.
fn version(places: &Places) -> Result<String, Failure> {
    let text = fs::read_to_string(places.sources.join("go.mod"))?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix(&format!("{MODULE} ")));
    Ok(line.ok_or("go.mod does not require franz-go")?.trim().to_owned())
}
