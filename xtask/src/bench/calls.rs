//! System calls of each request, by `strace`: a bound that does not depend on the machine. Of durability `os`: with `fsync`
//! there come those of the sync, of which many requests share one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Place, measured};
use crate::Failure;
use crate::clients::server::Server;

/// A Produce request of one record: wait for it, receive it, write it, answer.
const MOST: f64 = 4.0;
/// Fewer cannot be: then the trace was not understood.
const LEAST: f64 = 3.5;
/// What the node does beside, for each of the requests, and the more of it the slower tracing makes them: far from a fifth call.
/// Timers, a segment that is extended, threads that wake each other.
const BESIDE: f64 = 0.6;

#[expect(clippy::print_stdout, reason = "the result of the command")]
pub(super) fn run(place: &Place<'_>) -> Result<Value, Failure> {
    let trace = place.work.join("trace");
    // With -D the process that is started is the node.
    let server = Server::ottla_under(
        &["strace", "-D", "-f", "-qq", "-o", &trace.display().to_string()],
        &place.folder("calls")?,
        &["log.durability=os".to_owned()],
    )?;
    let pid = server.pid().ok_or("no process")?;
    let replay = |seconds: &str| {
        let mut command = Command::new(place.programs.join("replay"));
        command.args(["produce", "--bootstrap", &server.bootstrap, "--pid", &pid.to_string()]);
        command.args(["--batch", "1000", "--in-flight", "1", "--warm-up", "0", "--seconds", seconds]);
        measured("Ottla", command)
    };
    replay("1")?;
    let before = calls(&trace)?;
    let requests = replay("3")?["requests"].as_f64().ok_or("no requests")?;
    let mut rows: Vec<(String, f64)> = (calls(&trace)?.into_iter())
        .map(|(call, count)| {
            let former = before.get(&call).copied().unwrap_or(0);
            (call, (count - former) as f64 / requests)
        })
        .filter(|(_, each)| *each >= 0.01)
        .collect();
    rows.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    println!(
        "## produce, one record a request, acks=all, os: system calls of a request\n\n| | |\n|---|---:|"
    );
    for (call, each) in &rows {
        println!("| {call} | {each:.2} |");
    }
    let all: f64 = rows.iter().map(|(_, each)| each).sum();
    println!("| together | {all:.2} |");
    if all < LEAST {
        return Err(format!(
            "{all:.2} system calls a request cannot be; is the output of strace another one?"
        )
        .into());
    }
    if all > MOST + BESIDE {
        return Err(format!("{all:.2} system calls a request; {MOST} and {BESIDE} beside are allowed").into());
    }
    Ok(json!({"scenario": "system calls", "calls": rows, "together": all}))
}

/// How often each call was begun so far.
fn calls(trace: &Path) -> Result<BTreeMap<String, u64>, Failure> {
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(trace)?.lines() {
        // 12345 pwritev(9, … = 1088; a call that another thread interrupts is resumed in a line of its own.
        let Some((call, _)) = line.split_whitespace().nth(1).and_then(|rest| rest.split_once('(')) else {
            continue;
        };
        *counts.entry(call.to_owned()).or_default() += 1;
    }
    Ok(counts)
}
