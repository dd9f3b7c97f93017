//! The outcome of a look.

use serde::Serialize;

use super::finding::{Finding, Severity, counted};
use super::look::Look;
use super::{brokers, partitions, quorum};
use crate::output::table;

/// For programs; fields are added, and none change.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) healthy: bool,
    brokers: Brokers,
    /// Null: not told.
    quorum: Option<quorum::Counts>,
    partitions: partitions::Counts,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Brokers {
    registered: usize,
    up: usize,
}

impl Report {
    pub(super) fn of(look: &Look) -> Self {
        let (quorum, mut findings) = quorum::findings(&look.quorum);
        findings.extend(brokers::findings(look));
        let (partitions, of_partitions) = partitions::findings(look);
        findings.extend(of_partitions);
        // Stable: what is wrong with nodes stays before what follows for partitions.
        findings.sort_by_key(|finding| finding.severity == Severity::Info);
        let up = look.brokers.iter().filter(|broker| look.is_up(broker.info.id)).count();
        Self {
            healthy: findings.iter().all(|finding| finding.severity == Severity::Info),
            brokers: Brokers { registered: look.brokers.len(), up },
            quorum,
            partitions,
            findings,
        }
    }

    /// The line above the findings.
    pub(super) fn summary(&self) -> String {
        let state = if self.healthy { "healthy" } else { "not healthy" };
        let Brokers { registered, up } = self.brokers;
        let voters = match &self.quorum {
            Some(quorum) => {
                format!("{} of {} up", quorum.voters_up, counted(quorum.voters, "voter"))
            }
            None => "voters not known".to_owned(),
        };
        let total = self.partitions.total;
        let degraded = self.partitions.degraded();
        let partitions = match degraded {
            0 => counted(total, "partition"),
            _ => format!("{degraded} of {} degraded", counted(total, "partition")),
        };
        format!("{state}: {up} of {} up, {voters}, {partitions}", counted(registered, "broker"))
    }

    pub(super) fn text(&self) -> String {
        if self.findings.is_empty() {
            return self.summary();
        }
        let findings = table(
            ["", "FINDING", "WHAT TO DO"],
            self.findings.iter().map(|finding| {
                [finding.severity.name().to_owned(), finding.message.clone(), finding.remedy.clone()]
            }),
        );
        format!("{}\n\n{findings}", self.summary())
    }
}
