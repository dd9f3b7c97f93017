//! A network of its own: each node in a namespace, the clients in another, and between them a router that drops what it is
//! told to, packet by packet and direction by direction, without a word to the sender.
//!
//! ```text
//!  node-1 ─ 10.213.1.2 ──┐
//!  node-2 ─ 10.213.2.2 ──┤ router ├── 10.213.200.2 ─ clients (this process)
//!  node-3 ─ 10.213.3.2 ──┘   `ip rule … blackhole` for each direction that is cut
//! ```
//!
//! This process already is in namespaces of its own, which end with it, and all that is in them.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Command;

use crate::Failure;

/// Where packets come from and go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    /// A node.
    Node(i32),
    /// All clients.
    Clients,
}

impl Place {
    pub(crate) fn address(self) -> String {
        format!("10.213.{}.2", self.net())
    }

    fn gateway(self) -> String {
        format!("10.213.{}.1", self.net())
    }

    fn net(self) -> i32 {
        match self {
            Self::Node(id) => id,
            Self::Clients => 200,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(id) => write!(f, "node-{id}"),
            Self::Clients => f.write_str("clients"),
        }
    }
}

/// The links between places; how often each direction is cut.
pub(crate) struct Network {
    cuts: BTreeMap<(Place, Place), u32>,
}

impl Network {
    /// Namespaces and links for nodes 1 to `nodes`.
    pub(crate) fn build(nodes: i32) -> Result<Self, Failure> {
        // The names of namespaces are files of /run: those of this run are its own.
        run(Command::new("mount").args(["-t", "tmpfs", "chaos", "/run"]))?;
        ip("link set lo up")?;
        ip("netns add router")?;
        ip("-n router link set lo up")?;
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        run(Command::new("ip").args(["netns", "exec", "router", "sh", "-c", forward]))?;
        for place in (1..=nodes).map(Place::Node).chain([Place::Clients]) {
            let namespace = match place {
                Place::Node(_) => {
                    ip(&format!("netns add {place}"))?;
                    ip(&format!("-n {place} link set lo up"))?;
                    ip(&format!("-n {place} link add eth0 type veth peer name {place} netns router"))?;
                    format!("-n {place} ")
                }
                Place::Clients => {
                    ip(&format!("link add eth0 type veth peer name {place} netns router"))?;
                    String::new()
                }
            };
            ip(&format!("{namespace}addr add {}/24 dev eth0", place.address()))?;
            ip(&format!("{namespace}link set eth0 up"))?;
            ip(&format!("-n router addr add {}/24 dev {place}", place.gateway()))?;
            ip(&format!("-n router link set {place} up"))?;
            ip(&format!("{namespace}route add default via {}", place.gateway()))?;
        }
        Ok(Self { cuts: BTreeMap::new() })
    }

    /// Nothing that `from` sends reaches `to` any more, until it is healed as often.
    pub(crate) fn cut(&mut self, from: Place, to: Place) -> Result<(), Failure> {
        let times = self.cuts.entry((from, to)).or_default();
        *times += 1;
        if *times == 1 { rule("add", from, to) } else { Ok(()) }
    }

    /// Undoes one cut.
    pub(crate) fn heal(&mut self, from: Place, to: Place) -> Result<(), Failure> {
        let Some(times) = self.cuts.get_mut(&(from, to)) else { return Ok(()) };
        *times -= 1;
        if *times > 0 {
            return Ok(());
        }
        self.cuts.remove(&(from, to));
        rule("del", from, to)
    }

    /// Whether packets go both ways.
    pub(crate) fn connects(&self, a: Place, b: Place) -> bool {
        !self.cuts.contains_key(&(a, b)) && !self.cuts.contains_key(&(b, a))
    }
}

fn rule(verb: &str, from: Place, to: Place) -> Result<(), Failure> {
    let (from, to) = (from.address(), to.address());
    ip(&format!("-n router rule {verb} pref 100 from {from} to {to} blackhole"))
}

fn ip(arguments: &str) -> Result<(), Failure> {
    run(Command::new("ip").args(arguments.split_ascii_whitespace()))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let command_line = format!("{command:?}");
    let output = command.output().map_err(|error| {
        format!("{command_line}: {error}; install iproute2 and util-linux, which bring ip and mount")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command_line}: {}", error.trim()).into())
}
