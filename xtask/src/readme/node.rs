//! The node that the page starts: on the ports that the page names if they are free, else on others.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Failure;
use crate::kafka_jars::target_dir;

/// The ports of a node without configuration: clients, controllers, admin.
const DEFAULT: [u16; 3] = [9092, 9093, 9644];

/// The ports that the node gets.
pub(crate) struct Ports([u16; 3]);

impl Ports {
    /// The default ones, unless somebody has one of them.
    pub(crate) fn find() -> Result<Self, Failure> {
        if DEFAULT.iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return Ok(Self(DEFAULT));
        }
        // Held together, so that they differ.
        let held = [0; 3].map(|port: u16| TcpListener::bind(("127.0.0.1", port)));
        let mut ports = DEFAULT;
        for (port, listener) in ports.iter_mut().zip(held) {
            *port = listener?.local_addr()?.port();
        }
        Ok(Self(ports))
    }

    /// A command of the page with these ports.
    pub(crate) fn as_found(&self, command: &str) -> String {
        self.replace(command, DEFAULT, self.0)
    }

    /// What was printed, with the ports of the page.
    pub(crate) fn as_in_the_page(&self, printed: &str) -> String {
        self.replace(printed, self.0, DEFAULT)
    }

    fn replace(&self, text: &str, from: [u16; 3], to: [u16; 3]) -> String {
        from.iter().zip(to).fold(text.to_owned(), |text, (from, to)| {
            text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}"))
        })
    }
}

/// A running node; ends with this value.
pub(crate) struct Node {
    process: Child,
    output: String,
}

impl Node {
    /// Starts the release broker in `folder`; returns when it has printed its `ready` line.
    pub(crate) fn start(folder: &Path, ports: &Ports) -> Result<Self, Failure> {
        let mut command = Command::new(target_dir("").join("release/ottla-broker"));
        let [clients, controllers, admin] = ports.0;
        if ports.0 != DEFAULT {
            let listeners =
                format!("listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controllers}");
            command.args(["--set", &listeners, "--set", &format!("admin.listener=127.0.0.1:{admin}")]);
        }
        let log = fs::File::create(folder.join("broker.log"))?;
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut process = command.spawn().map_err(|error| format!("cannot run {command:?}: {error}"))?;
        let stdout = process.stdout.take().ok_or("no standard output")?;
        let mut node = Self { process, output: String::new() };
        BufReader::new(stdout).read_line(&mut node.output)?;
        if node.output.starts_with("ready") {
            return Ok(node);
        }
        let log = fs::read_to_string(folder.join("broker.log")).unwrap_or_default();
        Err(format!("the broker did not get ready\n{log}").into())
    }

    /// What it has printed so far.
    pub(crate) fn take_output(&mut self) -> String {
        std::mem::take(&mut self.output)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes `ottla` a command of the session, which finds the node wherever it listens.
pub(crate) fn put_ottla_on_path(folder: &Path, ports: &Ports) -> Result<(), Failure> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    let ottla = target_dir("").join("release/ottla");
    let [clients, ..] = ports.0;
    let script =
        format!("#!/bin/sh\nexec {} --bootstrap-server 127.0.0.1:{clients} \"$@\"\n", ottla.display());
    let path = bin.join("ottla");
    fs::write(&path, script)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// What `/metrics` answers.
pub(crate) fn scrape(ports: &Ports) -> Result<String, Failure> {
    let [.., admin] = ports.0;
    let mut stream = TcpStream::connect(("127.0.0.1", admin))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:{admin}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(format!("/metrics answered {answer}").into()),
    }
}
