//! `listeners`, `advertised.listeners`, their security protocols, and the quorum's addresses.

use std::collections::BTreeMap;
use std::fmt;

use crate::value::split_list;

/// A listener: `NAME://host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The name, in upper case.
    pub name: String,
    /// What is spoken on it.
    pub protocol: SecurityProtocol,
    /// Host name or address without brackets; empty means all interfaces (for an advertised one: this
    /// machine's host name).
    pub host: String,
    /// TCP port; 0 lets the system choose.
    pub port: u16,
}

/// What is spoken on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecurityProtocol {
    /// Neither encryption nor authentication.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL without encryption.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

/// A voter of a fixed quorum: `id@host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voter {
    /// Its `node.id`.
    pub id: i32,
    /// Where its controller listener is.
    pub endpoint: Endpoint,
}

/// Host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name or address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Listener {
    /// Whether only this machine can connect.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether the host stands for all interfaces.
    pub fn is_unspecified(&self) -> bool {
        let address = self.host.parse::<std::net::IpAddr>();
        self.host.is_empty() || address.is_ok_and(|address| address.is_unspecified())
    }
}

impl SecurityProtocol {
    /// Kafka's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// The number that stands for it in metadata records (`SecurityProtocol.id`).
    pub const fn id(self) -> i16 {
        match self {
            Self::Plaintext => 0,
            Self::Ssl => 1,
            Self::SaslPlaintext => 2,
            Self::SaslSsl => 3,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl]
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// `listener.security.protocol.map` as a map from upper-case names.
pub(crate) fn parse_protocol_map(text: &str) -> Result<BTreeMap<String, SecurityProtocol>, String> {
    split_list(text)
        .iter()
        .map(|entry| {
            let (name, protocol) =
                entry.split_once(':').ok_or_else(|| format!("{entry:?} is not NAME:PROTOCOL"))?;
            let known = SecurityProtocol::from_name(protocol.trim()).ok_or_else(|| {
                format!("{protocol:?} is none of PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL")
            })?;
            Ok((name.trim().to_uppercase(), known))
        })
        .collect()
}

/// The listeners of `text`. A name without an entry in `map` must be that of a protocol, or one of
/// `plain_names`, which mean PLAINTEXT.
pub(crate) fn parse_listeners(
    text: &str,
    map: &BTreeMap<String, SecurityProtocol>,
    plain_names: &[String],
) -> Result<Vec<Listener>, String> {
    let mut listeners: Vec<Listener> = Vec::new();
    for entry in split_list(text) {
        let (name, address) =
            entry.split_once("://").ok_or_else(|| format!("{entry:?} is not NAME://host:port"))?;
        let name = name.to_uppercase();
        let plain = plain_names.contains(&name).then_some(SecurityProtocol::Plaintext);
        let protocol = map
            .get(&name)
            .copied()
            .or_else(|| SecurityProtocol::from_name(&name))
            .or(plain)
            .ok_or_else(|| format!("listener {name} has no entry in listener.security.protocol.map"))?;
        let Endpoint { host, port } =
            parse_endpoint(address).ok_or_else(|| format!("{entry:?} is not NAME://host:port"))?;
        if listeners.iter().any(|listener| listener.name == name) {
            return Err(format!("each listener must have a different name; {name} is there twice"));
        }
        listeners.push(Listener { name, protocol, host, port });
    }
    Ok(listeners)
}

/// `controller.quorum.voters`.
pub(crate) fn parse_voters(text: &str) -> Result<Vec<Voter>, String> {
    let mut voters: Vec<Voter> = Vec::new();
    for entry in split_list(text) {
        let voter = entry
            .split_once('@')
            .and_then(|(id, address)| {
                let id = id.parse().ok().filter(|id: &i32| *id >= 0)?;
                Some(Voter { id, endpoint: parse_endpoint(address).filter(|e| !e.host.is_empty())? })
            })
            .ok_or_else(|| format!("{entry:?} is not id@host:port"))?;
        if voters.iter().any(|other| other.id == voter.id) {
            return Err(format!("voter {} is there twice", voter.id));
        }
        voters.push(voter);
    }
    Ok(voters)
}

/// `controller.quorum.bootstrap.servers`.
pub(crate) fn parse_endpoints(text: &str) -> Result<Vec<Endpoint>, String> {
    split_list(text)
        .iter()
        .map(|entry| {
            parse_endpoint(entry)
                .filter(|endpoint| !endpoint.host.is_empty())
                .ok_or_else(|| format!("{entry:?} is not host:port"))
        })
        .collect()
}

/// `host:port` or `[v6]:port`; the host may be empty.
pub(crate) fn parse_endpoint(text: &str) -> Option<Endpoint> {
    let (host, port) = text.trim().rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?,
        None if host.contains([':', '/', ' ']) => return None,
        None => host,
    };
    Some(Endpoint { host: host.to_owned(), port: port.parse().ok()? })
}

impl Endpoint {
    /// `host:port` or `[v6]:port`.
    pub fn parse(text: &str) -> Option<Self> {
        parse_endpoint(text).filter(|endpoint| !endpoint.host.is_empty())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = Endpoint { host: self.host.clone(), port: self.port };
        write!(f, "{}://{endpoint}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Listener>, String> {
        let map = parse_protocol_map("internal:SASL_SSL").unwrap();
        parse_listeners(text, &map, &["CONTROLLER".to_owned()])
    }

    #[test]
    fn hosts_may_be_names_addresses_or_nothing() {
        let listeners = parse("PLAINTEXT://:9092, internal://[::1]:9093,CONTROLLER://kafka-1.lan:0").unwrap();
        let text: Vec<_> = listeners.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["PLAINTEXT://:9092", "INTERNAL://[::1]:9093", "CONTROLLER://kafka-1.lan:0"]);
        assert_eq!(listeners[1].protocol, SecurityProtocol::SaslSsl);
        assert_eq!(listeners[2].protocol, SecurityProtocol::Plaintext);
        assert!(listeners[0].is_unspecified() && !listeners[0].is_loopback());
        assert!(listeners[1].is_loopback());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for text in ["9092", "PLAINTEXT://host", "PLAINTEXT://host:99999", "PLAINTEXT://a b:1"] {
            assert!(parse(text).unwrap_err().contains("NAME://host:port"), "{text}");
        }
        assert!(parse("EXTERNAL://a:1").unwrap_err().contains("listener.security.protocol.map"));
        assert!(parse("SSL://a:1,SSL://a:2").unwrap_err().contains("twice"));
    }

    #[test]
    fn voters_and_servers() {
        let voters = parse_voters("1@a:9093,2@[::1]:9094").unwrap();
        assert_eq!(voters[1].endpoint.to_string(), "[::1]:9094");
        assert!(parse_voters("1@a:1,1@b:1").is_err());
        assert!(parse_voters("a:9093").is_err());
        assert_eq!(parse_endpoints("a:1,b:2").unwrap().len(), 2);
        assert!(parse_endpoints(":1").is_err());
    }
}
