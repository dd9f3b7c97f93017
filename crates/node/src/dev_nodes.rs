//! `--dev-nodes N`: a cluster of N processes on loopback, to develop against.
//!
//! ```text
//!  node 1   9092  9093  9644   ./ottla-data/1
//!  node 2   9102  9103  9654   ./ottla-data/2      broker, controller and admin listener: ten further for each node
//! ```
//! Each is this binary with `--set`; what the user sets counts for all. Lines of the log begin with the node's number. A node that dies is told, and the others go on.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// The most nodes; more take ports of others.
pub(crate) const MOST: u16 = 9;
const STEP: u16 = 10;
/// From a node's broker port to its admin port, as between the defaults.
const ADMIN: u16 = 9644 - 9092;

/// What becomes of a node.
enum Event {
    /// It serves; the line that says so.
    Ready(u16, String),
    /// It is no more.
    Ended(u16, Result<std::process::ExitStatus, std::io::Error>),
}

/// Runs `count` nodes, the first on the broker port `port`, until they are told to stop. Exit codes as those of one node.
pub(crate) fn run(count: u16, port: u16, set: &[String]) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell_failure(&format!("cannot start the runtime: {error}")),
    };
    let (sender, events) = mpsc::channel(usize::from(count) * 2);
    let mut nodes = Nodes { pids: Vec::new(), lines: Vec::new(), running: 0, failed: false };
    for id in 1..=count {
        let child = start(id, count, port, set);
        match child {
            Ok(child) => nodes.watch(id, child, sender.clone()),
            Err(error) => {
                nodes.signal(Signal::TERM);
                return tell_failure(&format!("node {id} cannot be started: {error}"));
            }
        }
    }
    drop(sender);
    runtime.block_on(nodes.run(usize::from(count), events))
}

fn start(id: u16, count: u16, port: u16, set: &[String]) -> Result<Child, std::io::Error> {
    let broker = |id: u16| port + (id - 1) * STEP;
    let controller = |id: u16| broker(id) + 1;
    let voters: Vec<_> = (1..=count).map(|id| format!("{id}@127.0.0.1:{}", controller(id))).collect();
    let settings = [
        format!("node.id={id}"),
        format!("listeners=PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}", broker(id), controller(id)),
        format!("admin.listener=127.0.0.1:{}", broker(id) + ADMIN),
        format!("log.dirs=./ottla-data/{id}"),
        format!("controller.quorum.voters={}", voters.join(",")),
    ];
    let mut command = Command::new(std::env::current_exe()?);
    for setting in settings.iter().chain(set) {
        command.args(["--set", setting]);
    }
    command.args(["--log-prefix", &format!("{id} ")]);
    // A group of its own: Ctrl-C reaches it through this process alone, once.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()
}

struct Nodes {
    /// Those that run, and their ids.
    pids: Vec<(u16, Pid)>,
    /// The lines of those that serve.
    lines: Vec<(u16, String)>,
    running: usize,
    failed: bool,
}

impl Nodes {
    /// Has a thread tell what becomes of the node.
    fn watch(&mut self, id: u16, mut child: Child, events: mpsc::Sender<Event>) {
        self.running += 1;
        self.pids.extend(i32::try_from(child.id()).ok().and_then(Pid::from_raw).map(|pid| (id, pid)));
        thread::spawn(move || {
            if let Some(stdout) = child.stdout.take() {
                let mut stdout = BufReader::new(stdout);
                let mut line = String::new();
                if stdout.read_line(&mut line).is_ok() && line.starts_with("ready ") {
                    // Whoever does not listen any more is about to end.
                    let _ = events.blocking_send(Event::Ready(id, line));
                }
                let _ = stdout.read_to_end(&mut Vec::new());
            }
            let _ = events.blocking_send(Event::Ended(id, child.wait()));
        });
    }

    async fn run(mut self, count: usize, mut events: mpsc::Receiver<Event>) -> ExitCode {
        let (mut terminate, mut interrupt) =
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
                (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
                (Err(error), _) | (_, Err(error)) => {
                    self.signal(Signal::TERM);
                    return tell_failure(&format!("cannot listen for signals: {error}"));
                }
            };
        let (mut stopping, mut announced) = (false, false);
        while self.running > 0 {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Ready(id, line)) => self.lines.push((id, line)),
                    Some(Event::Ended(id, status)) => self.ended(id, status, stopping, announced),
                    None => break,
                },
                // The nodes stop at once when they are told for the second time.
                _ = terminate.recv() => { stopping = true; self.signal(Signal::TERM) }
                _ = interrupt.recv() => { stopping = true; self.signal(Signal::TERM) }
            }
            if !announced && self.lines.len() == count {
                announced = true;
                self.announce();
            }
        }
        if self.failed || !stopping { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn ended(
        &mut self,
        id: u16,
        status: Result<std::process::ExitStatus, std::io::Error>,
        stopping: bool,
        announced: bool,
    ) {
        self.running -= 1;
        self.pids.retain(|(other, _)| *other != id);
        let is_clean = status.as_ref().is_ok_and(std::process::ExitStatus::success);
        if stopping {
            self.failed |= !is_clean;
            return;
        }
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        if announced {
            tell(&format!("node {id} has died: {how}; the others go on"));
        } else {
            self.failed = true;
            tell(&format!("node {id} does not start: {how}; the others stop"));
            self.signal(Signal::TERM);
        }
    }

    fn signal(&self, signal: Signal) {
        for (_, pid) in &self.pids {
            // One that ends by itself meanwhile is as good.
            let _ = kill_process(*pid, signal);
        }
    }

    /// The one line on standard output: all nodes serve.
    fn announce(&mut self) {
        self.lines.sort();
        let word = |name: &str| {
            let of_line = |line: &str| {
                line.split_whitespace().find_map(|word| Some(word.strip_prefix(name)?.to_owned()))
            };
            self.lines.iter().filter_map(|(_, line)| of_line(line)).collect::<Vec<_>>().join(",")
        };
        let (listeners, admin, data) = (word("listeners="), word("admin="), word("data="));
        let mut out = std::io::stdout().lock();
        // A parent that closed our standard output does not want to know.
        let _ = writeln!(out, "ready listeners={listeners} admin={admin} data={data}");
        let _ = out.flush();
    }
}

#[expect(clippy::print_stderr, reason = "this process has no log; the nodes have")]
fn tell(message: &str) {
    eprintln!("ottla-broker: {message}");
}

fn tell_failure(message: &str) -> ExitCode {
    tell(message);
    ExitCode::FAILURE
}
