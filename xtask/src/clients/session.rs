//! One client's process: started with a list of capabilities, read line by line, with a limit on each.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::install::Program;
use super::report::{Cell, Status};

/// How long one capability may take.
const LIMIT: Duration = Duration::from_secs(120);

/// The hash that a client came to, or what went wrong.
pub(crate) type Outcome = Result<Value, String>;

/// What a client is run with.
pub(crate) struct Session<'a> {
    pub(crate) name: &'a str,
    pub(crate) program: &'a Program,
    pub(crate) bootstrap: &'a str,
    /// The node's log directory, where it is on this machine.
    pub(crate) data_dir: Option<&'a Path>,
    pub(crate) workdir: &'a Path,
    /// Begins the names of all of the client's topics and groups.
    pub(crate) prefix: &'a str,
}

/// Tells what is going on, apart from the results.
#[expect(clippy::print_stderr, reason = "progress goes to standard error")]
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

impl Session<'_> {
    /// Runs the capabilities in order. A process that dies or hangs fails the capability that it was at, and
    /// a new one goes on with the next.
    pub(crate) fn run(
        &self,
        capabilities: &[String],
        judge: impl Fn(&str, Outcome) -> Cell,
    ) -> BTreeMap<String, Cell> {
        let mut cells = BTreeMap::new();
        let mut rest = capabilities;
        while !rest.is_empty() {
            let done = self.run_process(rest, |capability, outcome, took| {
                let cell = judge(capability, outcome).took(took);
                let detail = if cell.status == Status::Failed { &cell.detail } else { "" };
                let seconds = took.as_secs_f32();
                progress(&format!(
                    "{:16} {capability:20} {} {seconds:5.1} s {detail}",
                    self.name, cell.status
                ));
                cells.insert(capability.to_owned(), cell);
            });
            rest = &rest[done..];
        }
        cells
    }

    /// Gives the number of capabilities that have an outcome: at least one.
    fn run_process(&self, capabilities: &[String], mut each: impl FnMut(&str, Outcome, Duration)) -> usize {
        let (mut child, lines) = match self.start(capabilities) {
            Ok(started) => started,
            Err(error) => {
                each(&capabilities[0], Err(format!("cannot start: {error}")), Duration::ZERO);
                return 1;
            }
        };
        let mut done = 0;
        for capability in capabilities {
            let started = Instant::now();
            let outcome = next_outcome(&lines, capability);
            let lost = outcome.is_none();
            let log = || format!("no result within {} s, see {}", LIMIT.as_secs(), self.log_name());
            each(capability, outcome.unwrap_or_else(|| Err(log())), started.elapsed());
            done += 1;
            if lost {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        done
    }

    fn log_name(&self) -> String {
        format!("{}.log", self.prefix)
    }

    fn start(&self, capabilities: &[String]) -> std::io::Result<(Child, Receiver<String>)> {
        let log = File::options().create(true).append(true).open(self.workdir.join(self.log_name()))?;
        let mut command = Command::new(&self.program.command);
        command.args(&self.program.arguments).arg(self.bootstrap).arg(self.workdir).arg(self.prefix);
        command.args(capabilities).envs(self.program.environment.iter().map(|(key, value)| (key, value)));
        command.envs(self.data_dir.map(|folder| ("CLIENTS_DATA_DIR", folder)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn()?;
        let (send, lines) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if send.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Ok((child, lines))
    }
}

/// The outcome of `capability`; `None` when the process ended or took too long.
fn next_outcome(lines: &Receiver<String>, capability: &str) -> Option<Outcome> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let line = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
        // Some clients print to standard output themselves.
        let Ok(row) = serde_json::from_str::<Value>(&line) else { continue };
        if row["capability"] == capability {
            let detail = || row["detail"].as_str().unwrap_or_default().to_owned();
            return Some(if row["ok"] == true { Ok(row["hash"].clone()) } else { Err(detail()) });
        }
    }
}
