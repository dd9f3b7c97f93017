//! What a controller needs to know before it starts.

use std::time::Duration;

use ottla_config::ConfigLayers;
use ottla_consensus::QuorumConfig;
use ottla_metadata::Settings;
use ottla_telemetry::LogLevels;

/// What a controller needs to know before it starts.
#[derive(Clone, Debug)]
pub struct ControllerConfig {
    /// The quorum: who this node is, where its log is, who votes.
    pub quorum: QuorumConfig,
    /// What decisions take from the static configuration.
    pub settings: Settings,
    /// How long a broker's silence is taken for life (`broker.session.timeout.ms`). Has to be longer than the lease of
    /// a partition leader, after which that stops serving by itself.
    pub session_timeout: Duration,
    /// How often leadership goes back to preferred replicas (`leader.imbalance.check.interval.seconds`); `None` for never
    /// (`auto.leader.rebalance.enable=false`).
    pub leader_rebalance_interval: Option<Duration>,
    /// How long a change of the voters may take (`controller.quorum.request.timeout.ms`).
    pub quorum_request_timeout: Duration,
    /// The process's loggers, for DescribeConfigs.
    pub log_levels: Option<LogLevels>,
}

impl ControllerConfig {
    /// With times from what the process was started with.
    pub fn new(quorum: QuorumConfig, settings: Settings) -> Self {
        let (broker, cluster) = Default::default();
        let layers = ConfigLayers {
            settings: &settings.configured,
            broker: &broker,
            cluster: &cluster,
            brokers: 1,
            elr: false,
        };
        let number = |key| layers.broker_value(key).and_then(|value| value.trim().parse::<u64>().ok());
        let session_timeout = Duration::from_millis(number("broker.session.timeout.ms").unwrap_or(2000));
        let rebalance =
            layers.broker_value("auto.leader.rebalance.enable").is_some_and(|value| value == "true");
        let interval = number("leader.imbalance.check.interval.seconds").map(Duration::from_secs);
        let quorum_request_timeout =
            Duration::from_millis(number("controller.quorum.request.timeout.ms").unwrap_or(2000));
        Self {
            session_timeout,
            quorum_request_timeout,
            log_levels: None,
            leader_rebalance_interval: interval.filter(|_| rebalance),
            quorum,
            settings,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ottla_types::{NodeId, Uuid};

    use super::*;

    #[test]
    fn times_come_from_the_table_and_what_was_configured() {
        let config = |flags: &[&str]| {
            let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            let configured = ottla_config::Settings::load(None, [], &flags).unwrap();
            let quorum = QuorumConfig::standalone(NodeId(1), Uuid::ZERO, "c", "d");
            ControllerConfig::new(quorum, Settings::new(Arc::new(configured)))
        };
        let default = config(&[]);
        assert_eq!(default.session_timeout, Duration::from_secs(2));
        assert_eq!(default.leader_rebalance_interval, Some(Duration::from_secs(300)));
        let other = config(&["broker.session.timeout.ms=1500", "auto.leader.rebalance.enable=false"]);
        assert_eq!(other.session_timeout, Duration::from_millis(1500));
        assert_eq!(other.leader_rebalance_interval, None);
    }
}
