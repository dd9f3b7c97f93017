//! Nodes in this process.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ottla_config::{BrokerConfig, Settings};
use ottla_env::{Clock, Disk, RealClock, RealDisk};
use ottla_node::{LogLevels, Node, NodeError, NodeOptions};
use ottla_simdisk::SimDisk;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{RawClient, eventually};

/// What a node is started from. It outlives the node: starting it again is a restart on the same data.
#[derive(Clone)]
pub struct NodeSpec {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    data: PathBuf,
    /// Removed with the last clone.
    _keep: Option<Arc<TempDir>>,
    settings: BTreeMap<String, String>,
    log_levels: Option<LogLevels>,
}

impl NodeSpec {
    /// A broker and controller in a temporary directory, on ports that the system chooses.
    pub fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let data = dir.path().join("data");
        Self { _keep: Some(Arc::new(dir)), ..Self::at(Arc::new(RealDisk), data) }
    }

    /// The same on a simulated disk.
    pub fn on_sim(disk: &SimDisk) -> Self {
        Self::at(Arc::new(disk.clone()), PathBuf::from("/data"))
    }

    fn at(disk: Arc<dyn Disk>, data: PathBuf) -> Self {
        let settings = [
            ("listeners", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0".to_owned()),
            ("admin.listener", "127.0.0.1:0".to_owned()),
            ("log.dirs", data.display().to_string()),
            // Waits for more members would only slow tests down.
            ("group.initial.rebalance.delay.ms", "0".to_owned()),
            ("offsets.topic.num.partitions", "3".to_owned()),
            // The fixtures' records are old.
            ("log.retention.ms", "-1".to_owned()),
        ];
        let settings = settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Self { disk, clock: Arc::new(RealClock::default()), data, _keep: None, settings, log_levels: None }
    }

    /// Sets one of `server.properties`' keys.
    #[must_use]
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Takes a setting back that tests start with.
    #[must_use]
    pub fn unset(mut self, key: &str) -> Self {
        self.settings.remove(key);
        self
    }

    /// Lets clients change the levels of the process's logs.
    #[must_use]
    pub fn log_levels(mut self, levels: LogLevels) -> Self {
        self.log_levels = Some(levels);
        self
    }

    /// Puts something between the node and its disk.
    #[must_use]
    pub fn map_disk(mut self, wrap: impl FnOnce(Arc<dyn Disk>) -> Arc<dyn Disk>) -> Self {
        self.disk = wrap(self.disk);
        self
    }

    /// The log directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The disk that the node runs on.
    pub fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    /// The folders of the log directory that belong to `topic`: its partitions, and those on their way out.
    pub fn folders_of(&self, topic: &str) -> Vec<String> {
        let entries = self.disk.list(&self.data).expect("a log directory");
        let names = entries.into_iter().filter(|entry| entry.is_dir).map(|entry| entry.name);
        names
            .filter(|name| name.starts_with(&format!("{topic}-")) || name.starts_with(&format!("{topic}.")))
            .collect()
    }

    /// Starts it, and returns when it serves.
    pub fn start(&self) -> TestNode {
        eventually("the former node holds its directory", || match self.try_start() {
            Ok(node) => Some(node),
            // The threads of a killed node take a moment to end, which the death of a process would do for them.
            Err(error) if error.to_string().contains("is in use") => None,
            Err(error) => panic!("the node does not start: {error}"),
        })
    }

    /// The same, with the reason why it does not.
    pub fn try_start(&self) -> Result<TestNode, NodeError> {
        let flags: Vec<String> = self.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let settings = Settings::load(None, [], &flags).unwrap_or_else(|errors| panic!("{errors}"));
        let config = BrokerConfig::from_settings(&settings).unwrap_or_else(|errors| panic!("{errors}"));
        let (disk, clock) = (Arc::clone(&self.disk), Arc::clone(&self.clock));
        let log_levels = self.log_levels.clone();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let node = runtime.block_on(Node::start(NodeOptions { settings, config, disk, clock, log_levels }));
        match node {
            Ok(node) => Ok(TestNode { node: Some(node), runtime: Some(runtime), _keep: self._keep.clone() }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }
}

impl Default for NodeSpec {
    fn default() -> Self {
        Self::new()
    }
}

impl Debug for NodeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeSpec").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A running node. Dropping it is a crash of the process: nothing is closed.
#[derive(Debug)]
pub struct TestNode {
    node: Option<Node>,
    runtime: Option<Runtime>,
    /// The directory stays while the node runs, also when nobody restarts it.
    _keep: Option<Arc<TempDir>>,
}

impl TestNode {
    /// Starts one with default settings in a temporary directory.
    pub fn start() -> Self {
        NodeSpec::new().start()
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.listener("PLAINTEXT")
    }

    /// The address of the listener with this name.
    pub fn listener(&self, name: &str) -> SocketAddr {
        let listeners = self.node().listeners();
        let found = listeners.iter().find(|(listener, _)| listener == name);
        found.unwrap_or_else(|| panic!("no listener {name} in {listeners:?}")).1
    }

    /// A new connection.
    pub fn client(&self) -> RawClient {
        RawClient::connect(self.address())
    }

    /// Status and body of the admin listener's answer.
    pub fn admin(&self, path: &str) -> (u16, String) {
        let address = self.node().admin().expect("an admin listener");
        let mut stream = TcpStream::connect(address).expect("the admin listener");
        stream.set_read_timeout(Some(crate::PATIENCE)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, body.to_owned())
    }

    /// The value of a metric without labels, or the sum of its series.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, body) = self.admin("/metrics");
        let values = body.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let family = series.split('{').next()?;
            (family == name).then(|| value.parse::<f64>().ok()).flatten()
        });
        let values: Vec<f64> = values.collect();
        assert!(!values.is_empty(), "no metric {name}");
        values.into_iter().sum()
    }

    /// Waits until it cannot go on, as the binary does, which then ends; returns why.
    pub fn failed(&self) -> String {
        let runtime = self.runtime.as_ref().expect("lives until it is stopped");
        runtime.block_on(self.node().failed())
    }

    /// Stops it in an orderly way.
    pub fn stop(mut self) {
        let (node, runtime) = (self.node.take(), self.runtime.take());
        if let (Some(node), Some(runtime)) = (node, runtime) {
            runtime.block_on(node.stop());
            runtime.shutdown_background();
        }
    }

    /// Ends it at once, as a crash of the process does.
    pub fn kill(self) {
        drop(self);
    }

    fn node(&self) -> &Node {
        self.node.as_ref().expect("lives until it is stopped")
    }
}

impl Drop for TestNode {
    fn drop(&mut self) {
        let (node, runtime) = (self.node.take(), self.runtime.take());
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
        drop(node);
    }
}
