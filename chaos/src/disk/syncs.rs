//! Syncs take as long as on a device, and what loses power meanwhile was not synced.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fuser::ReplyEmpty;
use ottla_env::{Disk, File, Rng, SeededRng};
use ottla_simdisk::SimDisk;

use super::mounted::errno;

/// What is to be synced.
pub(super) enum Target {
    File(Arc<dyn File>),
    Dir(PathBuf),
}

struct Sync {
    target: Target,
    reply: ReplyEmpty,
    /// In which life of the disk it was asked for.
    life: u64,
}

/// Hands syncs to the thread that does them when their time has come.
#[derive(Clone)]
pub(super) struct Syncs {
    queue: Sender<(Instant, Sync)>,
    rng: Arc<Mutex<SeededRng>>,
    slower_by_us: Arc<AtomicU64>,
    life: Arc<AtomicU64>,
}

impl Syncs {
    pub(super) fn start(disk: SimDisk, seed: u64) -> io::Result<Self> {
        let (queue, asked) = channel();
        let life = Arc::new(AtomicU64::new(0));
        let now = Arc::clone(&life);
        thread::Builder::new().name("syncs".to_owned()).spawn(move || run(&disk, &asked, &now))?;
        Ok(Self {
            queue,
            rng: Arc::new(Mutex::new(SeededRng::new(seed))),
            slower_by_us: Arc::default(),
            life,
        })
    }

    pub(super) fn ask(&self, target: Target, reply: ReplyEmpty) {
        let took = self.draw_latency() + Duration::from_micros(self.slower_by_us.load(Ordering::Relaxed));
        let sync = Sync { target, reply, life: self.life.load(Ordering::SeqCst) };
        // The thread ends with the last sender only.
        let _ = self.queue.send((Instant::now() + took, sync));
    }

    pub(super) fn lose_power(&self) {
        self.life.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn slow_down(&self, by: Duration) {
        self.slower_by_us.store(u64::try_from(by.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Mostly a good device; one in fifty waits for others.
    fn draw_latency(&self) -> Duration {
        let Ok(mut rng) = self.rng.lock() else { return Duration::ZERO };
        let us = if rng.below(50) == 0 { 5_000 + rng.below(25_000) } else { 200 + rng.below(1_800) };
        Duration::from_micros(us)
    }
}

fn run(disk: &SimDisk, asked: &Receiver<(Instant, Sync)>, life: &AtomicU64) {
    let mut waiting: BTreeMap<(Instant, u64), Sync> = BTreeMap::new();
    let mut count = 0_u64;
    loop {
        let now = Instant::now();
        while let Some(entry) = waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            finish(disk, entry.remove(), life);
        }
        let until = waiting.first_key_value().map(|((due, _), _)| *due);
        let wait =
            until.map_or(Duration::from_secs(3600), |due| due.saturating_duration_since(Instant::now()));
        match asked.recv_timeout(wait) {
            Ok((due, sync)) => {
                count += 1;
                waiting.insert((due, count), sync);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn finish(disk: &SimDisk, sync: Sync, life: &AtomicU64) {
    let done = if sync.life != life.load(Ordering::SeqCst) {
        Err(io::Error::other("the power went"))
    } else {
        match &sync.target {
            Target::File(file) => file.sync_data(),
            Target::Dir(path) => disk.sync_dir(path),
        }
    };
    match done {
        Ok(()) => sync.reply.ok(),
        Err(error) => sync.reply.error(errno(&error)),
    }
}
