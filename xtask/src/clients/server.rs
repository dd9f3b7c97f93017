//! The node under test: ours, Apache Kafka, or one that already runs.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::session::progress;
use crate::Failure;
use crate::kafka_jars::{run, target_dir, workspace_root};

/// How long a start or a stop may take.
const LIMIT: Duration = Duration::from_secs(60);

/// What Kafka's own start script gives its Java virtual machine.
pub(crate) const KAFKA_JAVA: [&str; 8] = [
    "-Xms1G",
    "-Xmx1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-XX:MaxInlineLevel=15",
];

/// A running node.
pub(crate) struct Server {
    /// Its address.
    pub(crate) bootstrap: String,
    /// Its log directory, if it is on this machine.
    pub(crate) data_dir: Option<PathBuf>,
    /// Where its metrics are, if it has any.
    pub(crate) admin: Option<String>,
    process: Option<Mutex<Child>>,
    log: PathBuf,
    started: Instant,
}

impl Server {
    /// Somebody else's.
    pub(crate) fn external(bootstrap: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            data_dir: None,
            admin: None,
            process: None,
            log: PathBuf::new(),
            started: Instant::now(),
        }
    }

    /// `ottla-broker`, built for release, in an empty directory.
    /// `settings` are added to what it needs; it runs on the processor `pinned_to`, if any.
    pub(crate) fn ottla(work: &Path, settings: &[String], pinned_to: Option<u32>) -> Result<Self, Failure> {
        let Some(processor) = pinned_to else { return Self::ottla_under(&[], work, settings) };
        Self::ottla_under(&["taskset", "-c", &processor.to_string()], work, settings)
    }

    /// The same, started by another command.
    pub(crate) fn ottla_under(under: &[&str], work: &Path, settings: &[String]) -> Result<Self, Failure> {
        let root = workspace_root().canonicalize()?;
        progress("building ottla-broker");
        let mut build = Command::new("cargo");
        run(build
            .args(["build", "--release", "--quiet", "--bin", "ottla-broker", "--bin", "ottla"])
            .current_dir(&root))?;
        let (client, controller, admin) = (free_port()?, free_port()?, free_port()?);
        let mut command = started_by(under, target_dir("").join("release/ottla-broker").as_os_str());
        let listeners = format!("PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}");
        let data = work.join("data");
        for setting in [
            format!("listeners={listeners}"),
            format!("log.dirs={}", data.display()),
            format!("admin.listener=127.0.0.1:{admin}"),
        ]
        .iter()
        .chain(settings)
        {
            command.arg("--set").arg(setting);
        }
        let (mut server, output) = Self::start(command, client, data, work)?;
        server.admin = Some(format!("127.0.0.1:{admin}"));
        // The line `ready` is the node's word that it serves.
        let mut lines = BufReader::new(output);
        let mut first = String::new();
        lines.read_line(&mut first)?;
        if !first.starts_with("ready") {
            return Err(server.failed(&format!("no ready line but {first:?}")));
        }
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        progress(&format!("ottla-broker on {}", server.bootstrap));
        Ok(server)
    }

    /// Apache Kafka, one node with both roles; its data is formatted if it is not. `settings` are added to what it needs.
    pub(crate) fn kafka(
        class_path: &str,
        work: &Path,
        settings: &[&str],
        pinned_to: Option<u32>,
    ) -> Result<Self, Failure> {
        let (client, controller) = (free_port()?, free_port()?);
        let data = work.join("data");
        let file = work.join("server.properties");
        fs::write(
            &file,
            format!(
                "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
                 listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}\n\
                 controller.listener.names=CONTROLLER\nlog.dirs={}\n\
                 offsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
                 transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n\
                 share.coordinator.state.topic.min.isr=1\n{}\n",
                data.display(),
                settings.join("\n")
            ),
        )?;
        let java = |class: &str| {
            let mut java = pinned("java".as_ref(), pinned_to);
            java.args(KAFKA_JAVA).args(["-cp", class_path, class]);
            java
        };
        let mut format = java("kafka.tools.StorageTool");
        format
            .args(["format", "--ignore-formatted", "-t", "MkU3OEVBNTcwNTJENDM2Qk", "-c"])
            .arg(&file)
            .stdout(Stdio::null());
        run(&mut format)?;
        let mut command = java("kafka.Kafka");
        command.arg(&file);
        let (server, mut output) = Self::start(command, client, data, work)?;
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        let deadline = Instant::now() + LIMIT;
        while TcpStream::connect(&server.bootstrap).is_err() {
            if Instant::now() > deadline || server.has_ended() {
                return Err(server.failed("it does not listen"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        progress(&format!("Apache Kafka on {}", server.bootstrap));
        Ok(server)
    }

    /// Any other program that says `ready ADDRESS` once it serves.
    pub(crate) fn program(mut command: Command, work: &Path) -> Result<Self, Failure> {
        let log = work.join("server.log");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let mut first = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut first)?;
        let bootstrap = first.strip_prefix("ready ").unwrap_or_default().trim().to_owned();
        let server =
            Self { bootstrap, data_dir: None, admin: None, process: Some(Mutex::new(child)), log, started };
        match server.bootstrap.is_empty() {
            false => Ok(server),
            true => Err(server.failed(&format!("no ready line but {first:?}"))),
        }
    }

    /// How long ago its process was started.
    pub(crate) fn since_start(&self) -> Duration {
        self.started.elapsed()
    }

    /// The process, if it is ours.
    pub(crate) fn pid(&self) -> Option<u32> {
        Some(self.process.as_ref()?.lock().ok()?.id())
    }

    /// Asks the node to stop; a node of ours has to end with status 0.
    pub(crate) fn stop(&self) -> Result<(), Failure> {
        let Some(process) = &self.process else { return Ok(()) };
        let mut child = process.lock().map_err(|_| "a client's thread panicked")?;
        if let Some(status) = child.try_wait()? {
            return Err(self.failed(&format!("it ended by itself with {status}")));
        }
        run(Command::new("kill").args(["-TERM", &child.id().to_string()]))?;
        let deadline = Instant::now() + LIMIT;
        loop {
            match child.try_wait()? {
                // Java counts the signal as the cause: 128 + 15.
                Some(status) if status.success() || status.code() == Some(143) => return Ok(()),
                Some(status) => return Err(self.failed(&format!("it stopped with {status}"))),
                None if Instant::now() > deadline => {
                    child.kill()?;
                    return Err(self.failed("it did not stop when asked to"));
                }
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    fn start(
        mut command: Command,
        port: u16,
        data: PathBuf,
        work: &Path,
    ) -> Result<(Self, impl Read + Send + 'static), Failure> {
        let log = work.join("server.log");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?).current_dir(work);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let output = child.stdout.take().ok_or("no standard output")?;
        let server = Self {
            bootstrap: format!("127.0.0.1:{port}"),
            data_dir: Some(data),
            admin: None,
            process: Some(Mutex::new(child)),
            log,
            started,
        };
        Ok((server, output))
    }

    fn has_ended(&self) -> bool {
        let ended = |child: &Mutex<Child>| {
            child.lock().is_ok_and(|mut child| matches!(child.try_wait(), Ok(Some(_))))
        };
        self.process.as_ref().is_some_and(ended)
    }

    fn failed(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(15)..].join("\n");
        format!("the node: {what}\n{tail}").into()
    }
}

/// A node that is still there when the suite gives up must not stay.
impl Drop for Server {
    fn drop(&mut self) {
        if let Some(Ok(mut child)) = self.process.as_ref().map(Mutex::lock)
            && matches!(child.try_wait(), Ok(None))
        {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A command that runs on one processor only, if that is wanted.
pub(crate) fn pinned(program: &OsStr, processor: Option<u32>) -> Command {
    let Some(processor) = processor else { return Command::new(program) };
    started_by(&["taskset", "-c", &processor.to_string()], program)
}

/// A program that another one starts, if one is named: it and its arguments.
fn started_by(starter: &[&str], program: &OsStr) -> Command {
    let [first, rest @ ..] = starter else { return Command::new(program) };
    let mut command = Command::new(first);
    command.args(rest).arg(program);
    command
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
