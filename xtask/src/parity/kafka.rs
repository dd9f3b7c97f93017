//! Apache Kafka, and what its classes do with its files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::folder;
use crate::Failure;
use crate::clients::install_kafka;
use crate::clients::server::Server;
use crate::kafka_jars::{LOGGING, run, workspace_root};

pub(super) const TOPIC: &str = "parity";
/// Its only partition.
pub(super) const PARTITION: &str = "parity-0";

/// How long one round of the cleaner may take.
const LIMIT: Duration = Duration::from_secs(600);
/// What DumpLogSegments prints when something is wrong with a file. Offsets that do not follow each other are not.
const WRONG: [&str; 8] = [
    "Mismatches in",
    "timestamp mismatch",
    "out of order timestamp",
    "No indexed offset",
    "invalid messages",
    "isvalid: false",
    "Exception",
    "Could not",
];

pub(super) struct Kafka {
    class_path: String,
}

/// Names and numbers that a program has printed.
pub(super) type Figures = BTreeMap<String, f64>;

impl Kafka {
    /// Fetches Kafka, and compiles tests/parity.
    pub(super) fn install(work: &Path) -> Result<Self, Failure> {
        let sources = workspace_root().canonicalize()?.join("tests/parity");
        let classes = work.join("classes");
        // The first logger on the class path counts.
        let logging = LOGGING.fetch()?.canonicalize()?;
        let class_path = format!("{}:{}/*:{}", classes.display(), logging.display(), install_kafka()?);
        let mut javac = Command::new("javac");
        javac.args(["-nowarn", "-proc:none", "--release", "17", "-cp", &class_path, "-d"]).arg(&classes);
        run(javac.args(folder::files(&sources, &["java"])?))?;
        fs::copy(sources.join("simplelogger.properties"), classes.join("simplelogger.properties"))?;
        Ok(Self { class_path })
    }

    /// A node with its data in `work`.
    pub(super) fn start(&self, work: &Path, cleans: bool) -> Result<Server, Failure> {
        fs::create_dir_all(work)?;
        let cleaner = format!("log.cleaner.enable={cleans}");
        let settings = [&*cleaner, "log.cleaner.backoff.ms=500", "transaction.state.log.num.partitions=1"];
        Server::kafka(&self.class_path, work, &settings, None)
    }

    pub(super) fn create_topic(&self, bootstrap: &str, configs: &[String]) -> Result<(), Failure> {
        let mut create = self.java("org.apache.kafka.tools.TopicCommand");
        create.args(["--bootstrap-server", bootstrap, "--create", "--topic", TOPIC, "--partitions", "1"]);
        configs.iter().for_each(|config| {
            create.args(["--config", config]);
        });
        let output = create.output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("the topic is not created: {told}").into()) }
    }

    /// Has the cleaner do one round over what is in `work`; its own account of it, and the most memory that the process had, MiB.
    pub(super) fn clean(&self, work: &Path) -> Result<(Vec<String>, f64), Failure> {
        let data = work.join("data");
        let until = format!("{TOPIC} 0 {}", folder::active_base(&data.join(PARTITION))?);
        let server = self.start(work, true)?;
        let began = Instant::now();
        let is_done = || -> bool {
            let checkpoint = fs::read_to_string(data.join("cleaner-offset-checkpoint"));
            checkpoint.is_ok_and(|text| text.lines().any(|line| line == until))
        };
        while !is_done() {
            if began.elapsed() > LIMIT {
                return Err("Kafka's cleaner does not come to an end".into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let peak = server.pid().map_or(Ok(0.0), peak_mib)?;
        server.stop()?;
        let log = fs::read_to_string(work.join("server.log"))?;
        let account = log.lines().filter(|line| line.contains("MB/sec") || line.contains("reduction"));
        Ok((account.map(|line| line.trim().to_owned()).collect(), peak))
    }

    /// Runs a class of tests/parity; what it has printed.
    pub(super) fn figures(&self, class: &str, arguments: &[String]) -> Result<Figures, Failure> {
        figures(self.java(class).args(arguments))
    }

    /// Has DumpLogSegments look at every file of a partition.
    pub(super) fn check_files(&self, folder: &Path) -> Result<(), Failure> {
        self.dump(&["--deep-iteration"], folder, &["log"])?;
        self.dump(&["--index-sanity-check"], folder, &["index", "timeindex"])?;
        self.dump(&["--verify-index-only"], folder, &["index", "timeindex"])?;
        self.dump(&[], folder, &["txnindex", "snapshot"])
    }

    fn dump(&self, options: &[&str], folder: &Path, extensions: &[&str]) -> Result<(), Failure> {
        let files: Vec<PathBuf> = folder::files(folder, extensions)?;
        if files.is_empty() {
            return Ok(());
        }
        let list = files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(",");
        let output = self
            .java("org.apache.kafka.tools.DumpLogSegments")
            .args(options)
            .args(["--files", &list])
            .output()?;
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let wrong = text.iter().flat_map(|text| text.lines()).find(|l| WRONG.iter().any(|w| l.contains(w)));
        let dumped = text[0].lines().filter(|line| line.starts_with("Dumping ")).count();
        match wrong {
            None if output.status.success() && dumped == files.len() => Ok(()),
            _ => Err(format!(
                "DumpLogSegments {options:?} has read {dumped} of {} files of {}: {}",
                files.len(),
                folder.display(),
                wrong.unwrap_or_default()
            )
            .into()),
        }
    }

    fn java(&self, class: &str) -> Command {
        let mut java = Command::new("java");
        java.args(["-Xmx1G", "-cp", &self.class_path, class]);
        java
    }
}

/// Runs a program that prints a name and a number on each line.
pub(super) fn figures(program: &mut Command) -> Result<Figures, Failure> {
    let output = program.stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        return Err(format!("{program:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.filter_map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect())
}

/// The most memory that a process has had, MiB.
fn peak_mib(pid: u32) -> Result<f64, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    Ok(kib.ok_or("no VmHWM")? / 1024.0)
}
