//! A file system that is full for real: `cargo test -p ottla-broker-bin --test full_disk`, by who may mount one. The same
//! is held on a simulated disk, without rights, by `crates/node/tests/node/storage_faults.rs`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly, and say what they measured"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ottla_testkit::{ACKS_ALL, BrokerProcess, RawClient, batch, eventually};
use tempfile::TempDir;

/// A small tmpfs, unmounted when dropped.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn new(path: &'a Path, size: &str) -> Self {
        fs::create_dir_all(path).expect("a directory");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path)
            .output()
            .expect("mount");
        assert!(mount.status.success(), "{}", String::from_utf8_lossy(&mount.stderr));
        Self(path)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn start(dir: &Path) -> BrokerProcess {
    let settings = [
        "listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0",
        "admin.listener=127.0.0.1:0",
        "log.dirs=small/data",
        "log.segment.bytes=4194304",
        "log.retention.ms=-1",
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let binary = Path::new(env!("CARGO_BIN_EXE_ottla-broker"));
    BrokerProcess::start(binary, dir, &arguments, &BTreeMap::new())
        .unwrap_or_else(|exited| panic!("it does not start: {exited:?}"))
}

fn append(client: &mut RawClient, value: &str) -> i16 {
    client.try_produce("t", 0, ACKS_ALL, batch::one(value)).error_code.0
}

#[test]
fn a_full_file_system_refuses_appends_until_there_is_room() {
    const KAFKA_STORAGE_ERROR: i16 = 56;
    let home = TempDir::new().expect("a temporary directory");
    let path = home.path().join("small");
    let mount = Mount::new(&path, "24m");
    let process = start(home.path());
    let mut client = process.client();
    let id = client.create_topic("t");
    let ballast = path.join("ballast");
    let value = |i: usize| format!("{i:06}").repeat(20_000);
    let mut acknowledged = Vec::new();
    for round in 0..2 {
        while append(&mut client, &value(acknowledged.len())) == 0 {
            acknowledged.push(value(acknowledged.len()));
            if acknowledged.len() == 10 {
                fs::write(&ballast, vec![0; 4 << 20]).expect("room for ballast");
            }
            assert!(acknowledged.len() < 1000);
        }
        assert_eq!(append(&mut client, &value(0)), KAFKA_STORAGE_ERROR, "round {round}");
        assert_eq!(client.read_values("t", 0).len(), acknowledged.len());
        let free = if round == 0 { fs::remove_file(&ballast).is_ok() } else { grow(&path) };
        assert!(free, "room was made");
        let next = value(acknowledged.len());
        eventually("no service", || (append(&mut client, &next) == 0).then_some(()));
        acknowledged.push(next);
    }
    process.kill();
    let process = start(home.path());
    let mut client = process.client();
    client.wait_for_topic("t", id, 1);
    assert_eq!(client.read_values("t", 0), acknowledged);
    process.kill();
    drop(mount);
}

fn grow(path: &Path) -> bool {
    let grown = Command::new("mount").args(["-o", "remount,size=64m"]).arg(path).status();
    grown.is_ok_and(|status| status.success())
}
