//! What the configuration makes of this node in the metadata quorum: one of the voters that it names, the founder of a quorum
//! of its own, or one who joins.

use std::net::{IpAddr, TcpListener};

use ottla_config::{BrokerConfig, Endpoint, Listener as ListenerSetting};
use ottla_consensus::Voter;
use ottla_types::NodeId;

/// How a node comes to its quorum when its directory is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// With the voters of `controller.quorum.voters`.
    Named,
    /// Alone: no voters are named, and nobody else.
    Alone,
    /// By asking those of `controller.quorum.bootstrap.servers`.
    Joins,
}

impl Entry {
    /// `own` are the controller listeners, with the ports that they are bound to.
    pub(crate) async fn of(config: &BrokerConfig, own: &[(ListenerSetting, u16)]) -> Self {
        if !config.quorum.voters.is_empty() {
            return Self::Named;
        }
        for server in &config.quorum.bootstrap_servers {
            if !is_own(config, own, server).await {
                return Self::Joins;
            }
        }
        Self::Alone
    }
}

/// Whether `server` leads to this node.
async fn is_own(config: &BrokerConfig, own: &[(ListenerSetting, u16)], server: &Endpoint) -> bool {
    let listener_names = own.iter().map(|(listener, _)| &listener.name);
    let names: Vec<_> = listener_names.collect();
    let mut advertised =
        config.listeners.advertised.iter().filter(|listener| names.contains(&&listener.name));
    if advertised.any(|listener| listener.host == server.host && listener.port == server.port) {
        return true;
    }
    if !own.iter().any(|(_, port)| *port == server.port) {
        return false;
    }
    let Ok(mut addresses) = tokio::net::lookup_host((server.host.as_str(), server.port)).await else {
        return false;
    };
    addresses.any(|address| is_local(address.ip()))
}

/// Whether the address is one of this machine: only on those can it listen.
fn is_local(address: IpAddr) -> bool {
    address.is_loopback() || TcpListener::bind((address, 0)).is_ok()
}

/// Where other controllers reach this one: as it is advertised, or where it listens.
pub(crate) fn own_endpoint(config: &BrokerConfig, own: &[(ListenerSetting, u16)]) -> String {
    let by_name = |name: &String| own.iter().find(|(listener, _)| listener.name == *name);
    let Some((listener, bound)) = config.listeners.controller_names.iter().find_map(by_name) else {
        return String::new();
    };
    let advertised = config.listeners.advertised.iter().find(|other| other.name == listener.name);
    let at = advertised.unwrap_or(listener);
    let host = if at.is_unspecified() { host_name() } else { at.host.clone() };
    let port = if at.port == 0 { *bound } else { at.port };
    Endpoint { host, port }.to_string()
}

fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_str().map_or_else(|_| "localhost".to_owned(), str::to_owned)
}

/// Those who form the quorum; none if this node joins one.
pub(crate) fn founders(config: &BrokerConfig, entry: Entry, own_endpoint: &str) -> Vec<Voter> {
    let own = || Voter { id: config.node.node_id, endpoint: own_endpoint.to_owned() };
    let named = &config.quorum.voters;
    match entry {
        Entry::Joins => return Vec::new(),
        Entry::Alone => return vec![own()],
        // Whoever is alone knows best where it is.
        Entry::Named if named.len() == 1 => return vec![own()],
        Entry::Named => {}
    }
    if named.len().is_multiple_of(2) {
        tracing::warn!(
            "controller.quorum.voters names {} voters, an even number, which survives no more failures than {} do: add \
             or leave out one",
            named.len(),
            named.len() - 1
        );
    }
    let voter =
        |voter: &ottla_config::Voter| Voter { id: NodeId(voter.id), endpoint: voter.endpoint.to_string() };
    named.iter().map(voter).collect()
}

#[cfg(test)]
mod tests {
    use ottla_config::Settings;

    use super::*;

    async fn entry(servers: &str, listener: &str, bound: u16) -> (Entry, String) {
        let set = [
            "process.roles=controller".to_owned(),
            format!("listeners=CONTROLLER://{listener}"),
            "insecure=true".to_owned(),
            format!("controller.quorum.bootstrap.servers={servers}"),
        ];
        let settings = Settings::load(None, std::iter::empty(), &set).unwrap();
        let config = BrokerConfig::from_settings(&settings).unwrap();
        let own = [(config.listeners.controller[0].clone(), bound)];
        (Entry::of(&config, &own).await, own_endpoint(&config, &own))
    }

    #[tokio::test]
    async fn a_list_that_names_just_this_node_lets_it_begin_alone() {
        assert_eq!(entry("", "127.0.0.1:0", 7001).await, (Entry::Alone, "127.0.0.1:7001".to_owned()));
        assert_eq!(entry("127.0.0.1:7001", "127.0.0.1:7001", 7001).await.0, Entry::Alone);
        assert_eq!(entry("localhost:7001", "127.0.0.1:7001", 7001).await.0, Entry::Alone);
        assert_eq!(entry("localhost:7001", ":7001", 7001).await.0, Entry::Alone);
        assert_eq!(entry("127.0.0.1:7002", "127.0.0.1:7001", 7001).await.0, Entry::Joins);
        assert_eq!(entry("127.0.0.1:7001,127.0.0.1:7002", "127.0.0.1:7001", 7001).await.0, Entry::Joins);
        // Of a documentation network (RFC 5737): nobody's.
        assert_eq!(entry("192.0.2.1:7001", "127.0.0.1:7001", 7001).await.0, Entry::Joins);
    }
}
