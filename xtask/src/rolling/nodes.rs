//! The nodes, each of one build or the other.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ottla_testkit::{BrokerProcess, ErrorCode, RawClient, TopicSpec, UPGRADE, quorum_properties};

use super::load::{PARTITIONS, TOPIC};
use crate::Failure;

const NODES: i32 = 3;
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Three nodes, each broker and controller.
pub(super) struct Nodes {
    running: BTreeMap<i32, BrokerProcess>,
    homes: BTreeMap<i32, PathBuf>,
    voters: String,
    bootstrap: String,
}

impl Nodes {
    /// Starts them with `binary`, and makes the topic.
    pub(super) fn start(binary: &Path, work: &Path) -> Result<Self, Failure> {
        // Clients have to find nodes again that were restarted: ports that were free a moment ago.
        let free: Result<Vec<_>, _> = (0..NODES).map(|_| TcpListener::bind("127.0.0.1:0")).collect();
        let free = free?;
        let addresses: Result<Vec<_>, _> = free.iter().map(TcpListener::local_addr).collect();
        let properties = quorum_properties(NODES);
        drop(free);
        let addresses: Vec<String> = addresses?.iter().map(ToString::to_string).collect();
        let mut homes = BTreeMap::new();
        let mut voters = String::new();
        for ((id, properties), address) in properties.into_iter().zip(&addresses) {
            let home = work.join(format!("node-{id}"));
            std::fs::create_dir_all(&home)?;
            let properties = properties.replace("PLAINTEXT://127.0.0.1:0", &format!("PLAINTEXT://{address}"));
            voters = properties
                .lines()
                .find(|line| line.starts_with("controller.quorum.voters="))
                .unwrap_or_default()
                .to_owned();
            let more =
                "offsets.topic.num.partitions=3\noffsets.topic.replication.factor=3\nmin.insync.replicas=2\n";
            std::fs::write(home.join("server.properties"), format!("{properties}{more}"))?;
            homes.insert(id, home);
        }
        let running = std::thread::scope(|scope| {
            let starting: Vec<_> =
                homes.iter().map(|(id, home)| (*id, scope.spawn(move || start(binary, home)))).collect();
            let joined = starting.into_iter().map(|(id, node)| {
                let node = node.join().map_err(|_| format!("node {id} panicked"))?;
                Ok((id, node.map_err(|reason| format!("node {id} does not start: {reason}"))?))
            });
            joined.collect::<Result<BTreeMap<_, _>, Failure>>()
        })?;
        let nodes = Self { running, homes, voters, bootstrap: addresses.join(",") };
        let topic = TopicSpec::new(TOPIC).partitions(PARTITIONS).replicas(NODES as i16);
        let created = nodes.client()?.try_create(&topic);
        if created.error_code != ErrorCode::NONE {
            return Err(format!("the topic is not created: {created:?}").into());
        }
        nodes.settle()?;
        Ok(nodes)
    }

    pub(super) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    pub(super) fn ids(&self) -> Vec<i32> {
        self.homes.keys().copied().collect()
    }

    pub(super) fn home(&self, id: i32) -> PathBuf {
        self.homes.get(&id).cloned().unwrap_or_default()
    }

    /// Restarts one after the other.
    pub(super) fn restart_each(&mut self, binary: &Path) -> Result<(), Failure> {
        self.ids().into_iter().try_for_each(|id| self.restart(id, binary))
    }

    /// Stops the node in an orderly way if it runs, starts it with `binary`, and waits until it is in sync everywhere.
    pub(super) fn restart(&mut self, id: i32, binary: &Path) -> Result<(), Failure> {
        self.stop(id)?;
        let node =
            start(binary, &self.home(id)).map_err(|reason| format!("node {id} does not start: {reason}"))?;
        self.running.insert(id, node);
        self.settle()
    }

    /// Stops one of them for good; which.
    pub(super) fn stop_one(&mut self) -> Result<i32, Failure> {
        let id = *self.running.keys().next().ok_or("no node runs")?;
        self.stop(id)?;
        Ok(id)
    }

    fn stop(&mut self, id: i32) -> Result<(), Failure> {
        let Some(node) = self.running.remove(&id) else { return Ok(()) };
        node.terminate();
        let exited = node.wait();
        if exited.code == Some(0) {
            Ok(())
        } else {
            Err(format!("node {id} does not stop in order: {exited:?}").into())
        }
    }

    /// A folder with the settings of a broker that is no controller.
    pub(super) fn broker_alone(&self, work: &Path) -> Result<PathBuf, Failure> {
        let home = work.join("broker-alone");
        std::fs::create_dir_all(&home)?;
        let properties = format!(
            "process.roles=broker\nnode.id=9\n{}\nlisteners=PLAINTEXT://127.0.0.1:0\n\
             controller.listener.names=CONTROLLER\nlog.dirs=data\n",
            self.voters
        );
        std::fs::write(home.join("server.properties"), properties)?;
        Ok(home)
    }

    /// Has the cluster go to this level of `metadata.version`; why not, if it is refused.
    pub(super) fn finalize(&self, level: i16) -> Result<Option<String>, Failure> {
        match self.client()?.update_feature("metadata.version", level, UPGRADE) {
            (ErrorCode::NONE, _) => Ok(None),
            (ErrorCode::INVALID_UPDATE_VERSION, reason) => Ok(Some(reason)),
            (error, reason) => Err(format!("UpdateFeatures: {error:?} {reason}").into()),
        }
    }

    /// Waits until every partition is in sync on all nodes, as each of them sees it.
    fn settle(&self) -> Result<(), Failure> {
        let began = Instant::now();
        for node in self.running.values() {
            let mut client = node.client();
            while !["__consumer_offsets", TOPIC].into_iter().all(|topic| is_in_sync(&mut client, topic)) {
                if began.elapsed() > SETTLED_WITHIN {
                    return Err(format!("the cluster does not settle within {SETTLED_WITHIN:?}").into());
                }
                std::thread::sleep(BETWEEN_LOOKS);
            }
        }
        Ok(())
    }

    fn client(&self) -> Result<RawClient, Failure> {
        Ok(self.running.values().next().ok_or("no node runs")?.client())
    }
}

/// Whether all of the topic's partitions have a leader and all their replicas in sync; or there is no such topic.
fn is_in_sync(client: &mut RawClient, topic: &str) -> bool {
    let topic = client.topic(topic);
    let is_missing = topic.error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let in_sync = |replicas: usize, isr: usize| isr == replicas && isr == NODES as usize;
    is_missing
        || topic.error_code == ErrorCode::NONE
            && topic.partitions.iter().all(|partition| {
                partition.leader_id > 0 && in_sync(partition.replica_nodes.len(), partition.isr_nodes.len())
            })
}

/// That a node of `home` with `binary` ends at once, and says `why`.
pub(super) fn refused(home: &Path, binary: &Path, why: &str) -> Result<(), Failure> {
    match start_process(binary, home) {
        Ok(_) => Err(format!("{} starts with {}", home.display(), binary.display()).into()),
        Err(exited) if exited.code == Some(1) && exited.stderr.contains(why) => Ok(()),
        Err(exited) => Err(format!("it does not say \"{why}\": {exited:?}").into()),
    }
}

fn start(binary: &Path, home: &Path) -> Result<BrokerProcess, String> {
    start_process(binary, home).map_err(|exited| format!("{exited:?}"))
}

fn start_process(binary: &Path, home: &Path) -> Result<BrokerProcess, ottla_testkit::Exited> {
    BrokerProcess::start(binary, home, &["--config", "server.properties"], &BTreeMap::new())
}
