//! Who takes part.

use std::fs;
use std::path::PathBuf;

use super::Place;
use crate::Failure;
use crate::clients::install_kafka;
use crate::clients::server::Server;

pub(super) struct Opponent {
    pub(super) name: &'static str,
    pub(super) server: Server,
    /// A speed-of-light program: it has no topics and no error codes.
    pub(super) raw: bool,
}

const OTTLA: &str = "Ottla";
const AGAIN: &str = "Ottla again";
const KAFKA: &str = "Kafka";
const KAFKA_TUNED: &str = "Kafka tuned";

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
            KAFKA => Server::kafka(&install_kafka()?, &folder, &[], processor)?,
            KAFKA_TUNED => Server::kafka(&install_kafka()?, &folder, &TUNED, processor)?,
            _ => {
                let durability = format!("log.durability={}", self.common.durability);
                Server::ottla(&folder, &[durability], processor)?
            }
        };
        Ok(Opponent { name, server, raw: false })
    }
}

impl Opponent {
    /// Whether it becomes faster by being used.
    pub(super) fn warms_up(&self) -> bool {
        [KAFKA, KAFKA_TUNED].contains(&self.name)
    }

    /// Its process.
    pub(super) fn pid(&self) -> Result<u32, Failure> {
        self.server.pid().ok_or_else(|| format!("{} has no process", self.name).into())
    }
}
