//! Running the binary of this package.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use ottla_testkit::{BrokerProcess, Exited, eventually};
use tempfile::TempDir;

/// Ports that the system chooses.
const ANY_PORTS: &str = "listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0";

/// A place for a node's data, and how to start it there.
pub(crate) struct Home {
    pub(crate) dir: TempDir,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Home {
    pub(crate) fn new() -> Self {
        // The fixtures' records are old: without the last they would be deleted before long.
        let settings = [
            ANY_PORTS,
            "admin.listener=127.0.0.1:0",
            "offsets.topic.num.partitions=3",
            "log.retention.ms=-1",
        ];
        let arguments = settings.into_iter().flat_map(|setting| ["--set".to_owned(), setting.to_owned()]);
        Self {
            dir: TempDir::new().expect("a temporary directory"),
            arguments: arguments.collect(),
            environment: Vec::new(),
        }
    }

    /// Without any argument yet.
    pub(crate) fn bare() -> Self {
        Self { arguments: Vec::new(), ..Self::new() }
    }

    pub(crate) fn set(self, setting: &str) -> Self {
        self.argument("--set").argument(setting)
    }

    pub(crate) fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Writes a `server.properties` and starts with it.
    pub(crate) fn config(self, text: &str) -> Self {
        let path = self.dir.path().join("server.properties");
        std::fs::write(&path, text).expect("a file");
        let path = path.display().to_string();
        self.argument("--config").argument(&path)
    }

    pub(crate) fn start(&self) -> BrokerProcess {
        self.try_start().unwrap_or_else(|exited| panic!("it does not start: {exited:?}"))
    }

    pub(crate) fn try_start(&self) -> Result<BrokerProcess, Exited> {
        let binary = Path::new(env!("CARGO_BIN_EXE_ottla-broker"));
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let environment: BTreeMap<&str, &str> =
            self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        BrokerProcess::start(binary, self.dir.path(), &arguments, &environment)
    }

    /// The way it ended without having been ready.
    pub(crate) fn refuses(&self) -> Exited {
        match self.try_start() {
            Ok(process) => panic!("it starts: {}", process.ready_line()),
            Err(exited) => exited,
        }
    }
}

/// A node that is a controller and no broker.
pub(crate) fn controller() -> (Home, BrokerProcess) {
    let home = Home::new()
        .set("process.roles=controller")
        .set("node.id=100")
        .set("listeners=CONTROLLER://127.0.0.1:0");
    let process = home.start();
    (home, process)
}

/// A node that is broker `id` of that controller's cluster.
pub(crate) fn broker(id: usize, controller: SocketAddr) -> Home {
    Home::new()
        .set("process.roles=broker")
        .set(&format!("node.id={id}"))
        .set("listeners=PLAINTEXT://127.0.0.1:0")
        .set(&format!("controller.quorum.bootstrap.servers={controller}"))
}

/// The one of brokers 1, 2, … that leads partition 0 of `t`, by the metadata of any that lives.
pub(crate) fn leader(brokers: &[Option<BrokerProcess>]) -> usize {
    eventually("nobody leads", || {
        let mut client = brokers.iter().flatten().next()?.client();
        let leader = client.topic("t").partitions.first()?.leader_id;
        let leader = usize::try_from(leader - 1).ok()?;
        brokers[leader].is_some().then_some(leader)
    })
}
