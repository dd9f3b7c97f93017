//! The controller's metrics, under the names of Kafka's dashboards.

use ottla_consensus::Role;
use ottla_telemetry::{Collect, Encoder};

use crate::Controller;

impl Collect for Controller {
    fn collect(&self, encoder: &mut Encoder) {
        self.collect_cluster(encoder);
        self.collect_quorum(encoder);
    }
}

impl Controller {
    fn collect_cluster(&self, encoder: &mut Encoder) {
        let image = self.image();
        let fenced = image.brokers.iter().filter(|broker| broker.fenced).count();
        let (mut offline, mut not_preferred) = (0, 0);
        for (_, partition) in image.topics.iter().flat_map(|topic| topic.partitions()) {
            offline += usize::from(!partition.has_leader());
            not_preferred += usize::from(partition.leader != partition.preferred_leader());
        }
        for (name, help, value) in [
            (
                "kafka_controller_kafkacontroller_activecontrollercount",
                "Whether this node is the active controller.",
                usize::from(self.is_active()),
            ),
            (
                "kafka_controller_kafkacontroller_activebrokercount",
                "Registered brokers that are not fenced.",
                image.brokers.len() - fenced,
            ),
            (
                "kafka_controller_kafkacontroller_fencedbrokercount",
                "Registered brokers that are fenced.",
                fenced,
            ),
            (
                "kafka_controller_kafkacontroller_globaltopiccount",
                "Topics of the cluster.",
                image.topics.len(),
            ),
            (
                "kafka_controller_kafkacontroller_globalpartitioncount",
                "Partitions of the cluster.",
                image.topics.partition_count(),
            ),
            (
                "kafka_controller_kafkacontroller_offlinepartitionscount",
                "Partitions without a leader.",
                offline,
            ),
            (
                "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
                "Partitions that another than the preferred replica leads.",
                not_preferred,
            ),
            (
                "kafka_controller_kafkacontroller_metadataerrorcount",
                "Faults in applying the metadata; this node has to be restarted.",
                usize::from(self.published.failure().is_some()),
            ),
        ] {
            encoder.gauge(name, help, value);
        }
        encoder.gauge(
            "kafka_controller_kafkacontroller_lastappliedrecordoffset",
            "The metadata offset that this node has applied.",
            image.offset,
        );
        encoder.counter(
            "kafka_controller_controllerstats_uncleanleaderelections_total",
            "Elections of replicas that were out of sync, since this process started.",
            self.published.unclean_elections(),
        );
    }

    fn collect_quorum(&self, encoder: &mut Encoder) {
        let state = self.quorum_state();
        let leader = state.leader.filter(|_| self.log.missing_leader().is_none());
        let end = |offset: Option<ottla_types::Offset>| offset.map_or(0, |offset| offset.next().0);
        encoder.gauge(
            "kafka_server_raftmetrics_current_leader",
            "The node that leads the metadata quorum; -1 if unknown or not heard of.",
            leader.map_or(-1, |id| id.0),
        );
        encoder.gauge("kafka_server_raftmetrics_current_epoch", "The controller epoch.", state.epoch);
        encoder.gauge(
            "kafka_server_raftmetrics_high_watermark",
            "The end of what is committed in the quorum's log.",
            end(state.committed_offset),
        );
        encoder.gauge(
            "kafka_server_raftmetrics_log_end_offset",
            "The end of the quorum's log on this node.",
            end(state.last_offset),
        );
        encoder
            .family(
                "kafka_server_raftmetrics_current_state",
                ottla_telemetry::Kind::Gauge,
                "What this node does in the quorum.",
            )
            .sample(&[("state", role(state.role))], 1);
    }
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Follower => "follower",
        Role::Observer => "observer",
        Role::Candidate => "candidate",
        Role::Leader => "leader",
        Role::Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[tokio::test]
    async fn names_are_those_of_kafkas_dashboards() {
        let fixture = Fixture::new().await;
        let mut encoder = Encoder::new();
        fixture.controller.collect(&mut encoder);
        let text = encoder.finish();
        for line in [
            "kafka_controller_kafkacontroller_activecontrollercount 1",
            "kafka_controller_kafkacontroller_offlinepartitionscount 0",
            "kafka_controller_controllerstats_uncleanleaderelections_total 0",
            "kafka_server_raftmetrics_current_leader 1",
            "kafka_server_raftmetrics_current_state{state=\"leader\"} 1",
        ] {
            assert!(text.contains(line), "{line} in\n{text}");
        }
    }

    #[tokio::test]
    async fn a_leader_that_is_not_heard_of_is_not_named() {
        let fixture = Fixture::new().await;
        fixture.log.is_cut_off.store(true, std::sync::atomic::Ordering::Relaxed);
        let mut encoder = Encoder::new();
        fixture.controller.collect(&mut encoder);
        assert!(encoder.finish().contains("kafka_server_raftmetrics_current_leader -1"));
        assert_eq!(fixture.controller.missing().as_deref(), Some("no leader"));
    }
}
