//! A node: a process in its namespace, on its disk.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Failure;
use crate::disk::PowerDisk;
use crate::network::Place;

pub(crate) const BROKER_PORT: u16 = 9092;
const CONTROLLER_PORT: u16 = 9093;

/// What all nodes have in common.
pub(crate) struct Setup {
    pub(crate) binary: PathBuf,
    pub(crate) work: PathBuf,
    pub(crate) nodes: i32,
    /// Lines of `server.properties` beside those that make the cluster.
    pub(crate) settings: Vec<String>,
}

/// A node, whether it runs or not.
pub(crate) struct Node {
    id: i32,
    pub(crate) disk: PowerDisk,
    process: Option<Process>,
    paused: bool,
}

struct Process {
    child: Child,
    ready: Receiver<Duration>,
    is_ready: bool,
}

impl Node {
    /// A node with an empty disk.
    pub(crate) fn new(setup: &Setup, id: i32, seed: u64) -> Result<Self, Failure> {
        let disk = PowerDisk::mount(&setup.work.join(format!("disk-{id}")), seed)?;
        Ok(Self { id, disk, process: None, paused: false })
    }

    /// Starts its process, without waiting until it serves.
    pub(crate) fn start(&mut self, setup: &Setup) -> Result<(), Failure> {
        if self.process.is_some() {
            return Ok(());
        }
        let place = Place::Node(self.id);
        let file = |name: &str| setup.work.join(format!("node-{}.{name}", self.id));
        std::fs::write(file("properties"), properties(setup, self.id))?;
        std::fs::write(file("boot_id"), self.disk.boot_id())?;
        let log = OpenOptions::new().create(true).append(true).open(file("log"))?;
        // The kernel's cache does not survive the loss of power, and nodes know that by the kernel's boot id.
        let script = "mount --bind \"$1\" /proc/sys/kernel/random/boot_id && exec \"$2\" --config \"$3\"";
        let mut child = Command::new("ip")
            .args(["netns", "exec", &place.to_string(), "sh", "-c", script, "sh"])
            .args([file("boot_id").as_os_str(), setup.binary.as_os_str(), file("properties").as_os_str()])
            .current_dir(&setup.work)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|error| format!("cannot start node {}: {error}", self.id))?;
        let started = Instant::now();
        let (tell, ready) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if line.starts_with("ready ") {
                        let _ = tell.send(started.elapsed());
                    }
                }
            });
        }
        self.paused = false;
        self.process = Some(Process { child, ready, is_ready: false });
        Ok(())
    }

    /// Whether there is a process.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it serves: it said so once, and does not stand still.
    pub(crate) fn serves(&self) -> bool {
        !self.paused && self.process.as_ref().is_some_and(|process| process.is_ready)
    }

    /// Notes whether it became ready; how long that took, if just now. An error if it ended by itself.
    pub(crate) fn look(&mut self) -> Result<Option<Duration>, ExitStatus> {
        let Some(process) = &mut self.process else { return Ok(None) };
        if let Ok(Some(status)) = process.child.try_wait() {
            self.process = None;
            return Err(status);
        }
        let became = if process.is_ready { None } else { process.ready.try_recv().ok() };
        process.is_ready |= became.is_some();
        Ok(became)
    }

    /// SIGSTOP.
    pub(crate) fn pause(&mut self) {
        self.signal(Signal::STOP);
        self.paused = self.process.is_some();
    }

    /// SIGCONT.
    pub(crate) fn resume(&mut self) {
        self.signal(Signal::CONT);
        self.paused = false;
    }

    /// SIGKILL, without waiting for the end.
    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// SIGTERM, without waiting for the end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits until the process is gone; how it ended, `None` if it does not within `patience`.
    pub(crate) fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let process = self.process.as_mut()?;
        let asked = Instant::now();
        let status = loop {
            match process.child.try_wait() {
                Ok(Some(status)) => break status,
                _ if asked.elapsed() > patience => return None,
                _ => thread::sleep(Duration::from_millis(2)),
            }
        };
        self.process = None;
        self.paused = false;
        Some(status)
    }

    fn signal(&self, signal: Signal) {
        let pid = self.process.as_ref().and_then(|process| i32::try_from(process.child.id()).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It may have ended meanwhile.
            let _ = kill_process(pid, signal);
        }
    }
}

/// Where a node's log says what it did.
pub(crate) fn log_file(work: &Path, id: i32) -> PathBuf {
    work.join(format!("node-{id}.log"))
}

/// The end of a node's log, for people.
pub(crate) fn last_lines(work: &Path, id: i32, count: usize) -> Vec<String> {
    let Ok(file) = File::open(log_file(work, id)) else { return Vec::new() };
    let lines: Vec<String> = BufReader::new(file).lines().map_while(Result::ok).collect();
    lines.into_iter().rev().take(count).rev().collect()
}

fn properties(setup: &Setup, id: i32) -> String {
    let voter = |id: i32| format!("{id}@{}:{CONTROLLER_PORT}", Place::Node(id).address());
    let voters: Vec<String> = (1..=setup.nodes).map(voter).collect();
    let address = Place::Node(id).address();
    let mut lines = vec![
        "process.roles=broker,controller".to_owned(),
        format!("node.id={id}"),
        format!("controller.quorum.voters={}", voters.join(",")),
        format!("listeners=PLAINTEXT://{address}:{BROKER_PORT},CONTROLLER://{address}:{CONTROLLER_PORT}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        "inter.broker.listener.name=PLAINTEXT".to_owned(),
        format!("log.dirs={}", setup.work.join(format!("disk-{id}")).join("data").display()),
    ];
    lines.extend(setup.settings.iter().cloned());
    lines.push(String::new());
    lines.join("\n")
}
