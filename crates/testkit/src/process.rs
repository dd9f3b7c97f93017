//! Nodes as real processes.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::RawClient;

/// A node that runs as a process; killed when dropped.
#[derive(Debug)]
pub struct BrokerProcess {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: Option<thread::JoinHandle<String>>,
    ready_line: String,
    start_to_ready: Duration,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exited {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl BrokerProcess {
    /// Runs `binary` with `arguments` in `directory` and an environment without `KAFKA_*` but for `environment`; returns
    /// when it says that it is ready, or the way it ended.
    pub fn start(
        binary: &Path,
        directory: &Path,
        arguments: &[&str],
        environment: &BTreeMap<&str, &str>,
    ) -> Result<Self, Exited> {
        let started = Instant::now();
        let mut child = Command::new(binary)
            .args(arguments)
            .current_dir(directory)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", binary.display()));
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = child.stderr.take().expect("piped");
        let stderr = thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).expect("a pipe");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut ready_line = String::new();
        stdout.read_line(&mut ready_line).expect("a pipe");
        let start_to_ready = started.elapsed();
        let ready = ready_line.starts_with("ready ");
        let process = Self { child, stdout, stderr: Some(stderr), ready_line, start_to_ready };
        if ready { Ok(process) } else { Err(process.wait()) }
    }

    /// The line that it printed when it was ready.
    pub fn ready_line(&self) -> &str {
        self.ready_line.trim_end()
    }

    /// From exec to the line.
    pub fn start_to_ready(&self) -> Duration {
        self.start_to_ready
    }

    /// The address of the listener with this name, as the line has it.
    pub fn listener(&self, name: &str) -> SocketAddr {
        let words = self.ready_line().split(' ');
        let listeners =
            words.filter_map(|word| word.strip_prefix("listeners=")).flat_map(|all| all.split(','));
        let mut addresses = listeners.filter_map(|one| one.strip_prefix(&format!("{name}://")));
        let address = addresses.next().unwrap_or_else(|| panic!("no listener {name} in {}", self.ready_line));
        address.parse().expect("an address")
    }

    /// A new connection.
    pub fn client(&self) -> RawClient {
        RawClient::connect(self.listener("PLAINTEXT"))
    }

    /// The memory that is resident (VmRSS), bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a VmRSS line");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib * 1024
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(mut self) -> Exited {
        self.child.kill().expect("it runs");
        self.wait()
    }

    /// Asks it to stop (SIGTERM), without waiting.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends it at once (SIGKILL), without waiting.
    pub fn end(&self) {
        self.signal(Signal::KILL);
    }

    /// Has it stand still (SIGSTOP), its connections open.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        // Its threads stop one after the other: until the last has, a request may still be answered.
        let stopped = waitpid(Some(self.pid()), WaitOptions::UNTRACED).expect("a child");
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "it has ended");
    }

    /// Has it go on as if nothing had happened (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it runs");
    }

    fn pid(&self) -> Pid {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id")
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Exited {
        let mut stdout = std::mem::take(&mut self.ready_line);
        self.stdout.read_to_string(&mut stdout).expect("a pipe");
        let code = self.child.wait().expect("a child").code();
        let stderr = self.stderr.take().map(|reader| reader.join().expect("a reader")).unwrap_or_default();
        Exited { code, stdout, stderr }
    }
}

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
