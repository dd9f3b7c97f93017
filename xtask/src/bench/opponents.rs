//! Who takes part.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Place;
use crate::Failure;
use crate::clients::install_kafka;
use crate::clients::server::Server;
use crate::kafka_jars::{run, target_dir};

pub(super) struct Opponent {
    pub(super) name: &'static str,
    pub(super) server: Server,
    /// A speed-of-light program: it has no topics and no error codes.
    pub(super) raw: bool,
}

pub(super) const OTTLA: &str = "Ottla";
const AGAIN: &str = "Ottla again";
pub(super) const KAFKA: &str = "Kafka";
const KAFKA_TUNED: &str = "Kafka tuned";

/// Of every broker: the files of a deleted topic go soon. (With 0, Kafka looks for them every millisecond.)
const DELETE_SOON: &str = "log.segment.delete.delay.ms=1000";
/// By when they have gone.
const DELETED_WITHIN: Duration = Duration::from_secs(2);

/// What helps Apache Kafka on few processors: fewer threads, sockets that the system tunes.
const TUNED: [&str; 4] = [
    "num.network.threads=2",
    "num.io.threads=2",
    "socket.send.buffer.bytes=-1",
    "socket.receive.buffer.bytes=-1",
];

impl Place<'_> {
    /// A folder for the data of one server.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.work.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The brokers that were asked for, Ottla first. Pinned, each has the processor of who is measured to itself.
    pub(super) fn brokers(&self, pinned: bool) -> Result<Vec<Opponent>, Failure> {
        let noise = self.common.noise.then_some(AGAIN);
        let kafka = if self.common.kafka { &[KAFKA, KAFKA_TUNED][..] } else { &[] };
        let names = [OTTLA].into_iter().chain(noise).chain(kafka.iter().copied());
        names.map(|name| self.start(name, name, pinned)).collect()
    }

    /// A broker of that name with its data in that folder.
    pub(super) fn start(&self, name: &'static str, folder: &str, pinned: bool) -> Result<Opponent, Failure> {
        let processor = self.processors.1.filter(|_| pinned);
        let folder = self.folder(folder)?;
        let server = match name {
            KAFKA => Server::kafka(&install_kafka()?, &folder, &[DELETE_SOON], processor)?,
            KAFKA_TUNED => {
                let settings = [&TUNED[..], &[DELETE_SOON]].concat();
                Server::kafka(&install_kafka()?, &folder, &settings, processor)?
            }
            _ => return self.ottla(name, &folder, &self.common.durability, processor),
        };
        Ok(Opponent { name, server, raw: false })
    }

    /// Ottla, on one processor only if that is given.
    pub(super) fn ottla(
        &self,
        name: &'static str,
        folder: &Path,
        durability: &str,
        processor: Option<u32>,
    ) -> Result<Opponent, Failure> {
        let settings = [format!("log.durability={durability}"), DELETE_SOON.to_owned()];
        Ok(Opponent { name, server: Server::ottla(folder, &settings, processor)?, raw: false })
    }

    /// Has a broker that becomes faster by being used do what will be measured, until `cost` of it has stopped falling: that of the
    /// last windows was not lower than the least before them, by a twentieth. For at most so long as was asked for.
    pub(super) fn warm_up(
        &self,
        opponent: &Opponent,
        cost: &str,
        mut turn: impl FnMut(f64) -> Result<Value, Failure>,
    ) -> Result<(), Failure> {
        const WINDOW: f64 = 5.0;
        const WITHOUT_GAIN: u32 = 3;
        if !opponent.warms_up() {
            turn(1.0)?;
            return Ok(());
        }
        let (began, mut least, mut without_gain) = (Instant::now(), f64::INFINITY, 0);
        while without_gain < WITHOUT_GAIN && began.elapsed().as_secs_f64() < self.common.warm_up {
            let now = turn(WINDOW)?.pointer(cost).and_then(Value::as_f64).unwrap_or(f64::NAN);
            without_gain = if now < 0.95 * least { 0 } else { without_gain + 1 };
            least = least.min(now);
        }
        Ok(())
    }

    /// The name of a topic that no turn has had yet.
    pub(super) fn new_topic(&self) -> String {
        self.topics.set(self.topics.get() + 1);
        format!("bench-{}", self.topics.get())
    }
}

impl Opponent {
    /// Whether it becomes faster by being used.
    pub(super) fn warms_up(&self) -> bool {
        [KAFKA, KAFKA_TUNED].contains(&self.name)
    }

    /// Has it create a topic of eight partitions.
    pub(super) fn create(&self, topic: &str) -> Result<(), Failure> {
        self.ottla(&["topic", "create", topic, "--partitions", "8"])
    }

    /// Has it delete a topic: disks are finite, and what is not written yet need not be. Speed-of-light programs do so with their
    /// file by themselves.
    pub(super) fn delete(&self, topic: &str) -> Result<(), Failure> {
        if !self.raw {
            self.ottla(&["topic", "delete", topic])?;
        }
        // The next turn shall not share the disk with it.
        std::thread::sleep(DELETED_WITHIN);
        Ok(())
    }

    /// The command-line interface works with every broker.
    fn ottla(&self, arguments: &[&str]) -> Result<(), Failure> {
        let mut ottla = Command::new(target_dir("").join("release/ottla"));
        ottla.args(["--bootstrap-server", &self.server.bootstrap]).args(arguments);
        run(ottla.stdout(Stdio::null()))
    }

    /// Its process.
    pub(super) fn pid(&self) -> Result<u32, Failure> {
        self.server.pid().ok_or_else(|| format!("{} has no process", self.name).into())
    }
}
