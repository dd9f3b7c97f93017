//! `cargo xtask clients`: unmodified clients of every language against a running node, a table of client ×
//! capability. tests/clients/README.md describes what a client's folder holds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::Failure;
use crate::kafka_jars::workspace_root;

mod dataset;
mod franz_go_suite;
mod install;
mod report;
mod segments;
pub(crate) mod server;
mod session;
mod spec;

use report::{Cell, Status};
use spec::Client;

/// Flags of the command.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Use a cluster that already runs, as HOST:PORT
    #[arg(long, conflicts_with = "kafka")]
    bootstrap_server: Option<String>,
    /// Run Apache Kafka from Maven in place of target/release/ottla-broker, for reference
    #[arg(long)]
    kafka: bool,
    /// Only this client (repeatable)
    #[arg(long)]
    only: Vec<String>,
    /// How to print the results
    #[arg(long, value_enum, default_value_t = report::Format::Text)]
    format: report::Format,
    /// How many clients run at a time
    #[arg(long, default_value_t = 3)]
    jobs: usize,
    /// Keep the working directory, with the node's data and all logs, as after a failure
    #[arg(long)]
    keep: bool,
    /// Install the clients and do nothing else
    #[arg(long)]
    install: bool,
    /// Run the tests of franz-go's own package kgo that need no transactions instead
    #[arg(long)]
    franz_go_suite: bool,
}

/// Where everything of the suite lives.
pub(crate) struct Places {
    /// tests/clients.
    sources: PathBuf,
    /// target/clients: what was installed.
    installed: PathBuf,
}

impl Places {
    fn of(root: &std::path::Path) -> Self {
        Self { sources: root.join("tests/clients"), installed: root.join("target/clients") }
    }
}

/// Fetches Apache Kafka, and gives its class path.
pub(crate) fn install_kafka() -> Result<String, Failure> {
    let places = Places::of(&workspace_root().canonicalize()?);
    install::install(&places, &[], true)?;
    Ok(install::kafka_class_path(&places))
}

/// Fetches what the Python clients need, and gives their interpreter.
pub(crate) fn install_python() -> Result<String, Failure> {
    let places = Places::of(&workspace_root().canonicalize()?);
    install::python(&places)?;
    Ok(places.installed.join("python/bin/python").display().to_string())
}

/// Installs, runs, prints. An error when anything is not as it should be.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let root = workspace_root().canonicalize()?;
    let places = Places::of(&root);
    if arguments.franz_go_suite {
        return franz_go_suite::run_with_server(arguments, &places);
    }
    let clients = spec::load(&places.sources, &arguments.only)?;
    let programs = install::install(&places, &clients, arguments.kafka)?;
    if arguments.install {
        return Ok(());
    }
    let started = Instant::now();
    let work = tempfile::Builder::new().prefix("ottla-clients-").tempdir()?;
    let expected = dataset::write(work.path())?;
    let server = start_server(arguments, &places, work.path())?;
    let run = Run {
        clients: &clients,
        programs: &programs,
        server: &server,
        workdir: work.path().to_path_buf(),
        id: format!("r{:x}", std::process::id()),
        expected,
        jobs: arguments.jobs.max(1),
    };
    let mut results = run.capabilities();
    run.cross(&mut results);
    let stopped = server.stop();
    let failures = report::print(arguments.format, &clients, &results, started.elapsed());
    if arguments.keep || failures > 0 || stopped.is_err() {
        session::progress(&format!("data and logs are in {}", work.keep().display()));
    }
    stopped?;
    if failures == 0 { Ok(()) } else { Err(format!("{failures} failed").into()) }
}

fn start_server(
    arguments: &Arguments,
    places: &Places,
    work: &std::path::Path,
) -> Result<server::Server, Failure> {
    match &arguments.bootstrap_server {
        Some(address) => Ok(server::Server::external(address)),
        None if arguments.kafka => server::Server::kafka(&install::kafka_class_path(places), work, &[], None),
        None => server::Server::ottla(work, &[], None),
    }
}

/// One run of all clients against one server.
struct Run<'a> {
    clients: &'a [Client],
    programs: &'a BTreeMap<String, install::Program>,
    server: &'a server::Server,
    workdir: PathBuf,
    id: String,
    /// Hash that a capability must give.
    expected: BTreeMap<String, String>,
    jobs: usize,
}

/// Cells by client and capability.
pub(crate) type Results = BTreeMap<String, BTreeMap<String, Cell>>;

impl Run<'_> {
    /// Everything that a client does on its own.
    fn capabilities(&self) -> Results {
        self.each_client(|client| {
            let mut cells = client.missing(self.server.data_dir.is_some());
            let wanted: Vec<String> = client
                .capabilities()
                .filter(|capability| *capability != spec::CROSS && !cells.contains_key(*capability))
                .map(str::to_owned)
                .collect();
            cells.extend(
                self.session(client, &wanted, |capability, outcome| self.judge(client, capability, outcome)),
            );
            cells
        })
    }

    /// Each client reads what the others wrote.
    fn cross(&self, results: &mut Results) {
        let cells = self.each_client(|client| {
            let topics = self.topics_for(client, results);
            if !client.capabilities().any(|capability| capability == spec::CROSS) {
                return BTreeMap::new();
            }
            if topics.is_empty() {
                let reason = "no other client wrote anything".to_owned();
                return BTreeMap::from([(spec::CROSS.to_owned(), Cell::new(Status::Lacks, reason))]);
            }
            let wanted = [spec::CROSS.to_owned()];
            match dataset::write_cross(&self.workdir, &self.prefix(client), &topics) {
                Ok(()) => self.session(client, &wanted, |_, outcome| judge_cross(&topics, outcome)),
                Err(error) => {
                    let cell = Cell::new(Status::Failed, error.to_string());
                    BTreeMap::from([(spec::CROSS.to_owned(), cell)])
                }
            }
        });
        for (client, found) in cells {
            results.entry(client).or_default().extend(found);
        }
    }

    /// Topics written by other clients that `client` can read: name to number of records and hash.
    fn topics_for(&self, client: &Client, results: &Results) -> BTreeMap<String, (usize, String)> {
        let mut topics = BTreeMap::new();
        for writer in self.clients.iter().filter(|writer| writer.name != client.name) {
            for (capability, count) in dataset::CROSS {
                let written = results
                    .get(&writer.name)
                    .and_then(|cells| cells.get(capability))
                    .is_some_and(|cell| cell.status == Status::Passed);
                if let (true, false, Some(hash)) =
                    (written, client.lacks.contains_key(capability), self.expected.get(capability))
                {
                    let topic = format!("{}.{capability}", self.prefix(writer));
                    topics.insert(topic, (count, hash.clone()));
                }
            }
        }
        topics
    }

    fn prefix(&self, client: &Client) -> String {
        format!("{}.{}", self.id, client.name)
    }

    /// Runs `work` for each client, a few at a time.
    fn each_client(&self, work: impl Fn(&Client) -> BTreeMap<String, Cell> + Sync) -> Results {
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Results::new());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs {
                scope.spawn(|| {
                    while let Some(client) = self.clients.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let cells = work(client);
                        if let Ok(mut results) = results.lock() {
                            results.insert(client.name.clone(), cells);
                        }
                    }
                });
            }
        });
        results.into_inner().unwrap_or_default()
    }

    fn session(
        &self,
        client: &Client,
        capabilities: &[String],
        judge: impl Fn(&str, session::Outcome) -> Cell,
    ) -> BTreeMap<String, Cell> {
        let session = session::Session {
            name: &client.name,
            program: &self.programs[&client.name],
            bootstrap: &self.server.bootstrap,
            data_dir: self.server.data_dir.as_deref(),
            workdir: &self.workdir,
            prefix: &self.prefix(client),
        };
        session.run(capabilities, judge)
    }

    /// Compares the hash, and looks at the files where they are at hand.
    fn judge(&self, client: &Client, capability: &str, outcome: session::Outcome) -> Cell {
        let hash = match outcome {
            Err(detail) => return Cell::new(Status::Failed, detail),
            Ok(hash) => hash,
        };
        if let Some(expected) = self.expected.get(capability)
            && hash.as_str() != Some(expected)
        {
            return Cell::new(Status::Failed, format!("content hash {hash} is not {expected}"));
        }
        let Some(data_dir) = &self.server.data_dir else { return Cell::passed() };
        let topic = format!("{}.{capability}", self.prefix(client));
        match segments::check(data_dir, &topic, capability) {
            Ok(()) => Cell::passed(),
            Err(error) => Cell::new(Status::Failed, error.to_string()),
        }
    }
}

/// Compares the hash of every topic that was read.
fn judge_cross(topics: &BTreeMap<String, (usize, String)>, outcome: session::Outcome) -> Cell {
    let hashes = match outcome {
        Err(detail) => return Cell::new(Status::Failed, detail),
        Ok(hashes) => hashes,
    };
    let wrong: Vec<&str> = topics
        .iter()
        .filter(|(topic, (_, hash))| hashes[topic.as_str()].as_str() != Some(hash))
        .map(|(topic, _)| topic.as_str())
        .collect();
    if wrong.is_empty() {
        Cell::passed()
    } else {
        Cell::new(Status::Failed, format!("content differs: {}", wrong.join(", ")))
    }
}
