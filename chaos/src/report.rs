//! What came of a run, for people and for programs.

use std::collections::BTreeMap;
use std::time::Duration;

use ottla_history::{History, Outcome, Violation};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::journal::Journal;
use crate::logs::Replicas;
use crate::nemesis::Past;
use crate::progress::Gap;

pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) nodes: i32,
    pub(crate) took: Duration,
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
    pub(crate) read: usize,
    pub(crate) records: usize,
    pub(crate) bytes: u64,
    pub(crate) segments: usize,
    pub(crate) without_majority: Duration,
    pub(crate) slowest_start: Duration,
    pub(crate) faults: Vec<FaultRow>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) errors: BTreeMap<String, u64>,
    pub(crate) violations: Vec<Violation>,
}

/// All faults of one kind.
pub(crate) struct FaultRow {
    pub(crate) name: &'static str,
    pub(crate) times: u64,
    /// The longest time without an acknowledgement in a partition that overlaps one of them, and what of it counts.
    pub(crate) longest_gap: Duration,
    pub(crate) longest_that_counts: Duration,
}

impl Report {
    pub(crate) fn new(
        seed: u64,
        cluster: &Cluster,
        journal: &Journal,
        history: &History,
        replicas: &Replicas,
        past: &[Past],
        (gaps, violations): (Vec<Gap>, Vec<Violation>),
    ) -> Self {
        let count = |wanted: fn(&Outcome) -> bool| {
            history.sends.iter().filter(|send| wanted(&send.outcome)).count() as u64
        };
        let whole = cluster.without_majority();
        Self {
            seed,
            nodes: cluster.setup.nodes,
            took: journal.now(),
            sent: history.sends.len() as u64,
            acknowledged: count(|outcome| matches!(outcome, Outcome::Ok(_) | Outcome::OkSomewhere)),
            unknown: count(|outcome| matches!(outcome, Outcome::Unknown)),
            read: history.reads.len(),
            records: history.final_logs().map(|dump| dump.records.len()).sum(),
            bytes: replicas.bytes,
            segments: replicas.segments,
            without_majority: whole
                .iter()
                .map(|(from, to)| (*to).min(journal.now()).saturating_sub(*from))
                .sum(),
            slowest_start: cluster.slowest_start(),
            faults: rows(past, &gaps),
            gaps: gaps.into_iter().take(5).collect(),
            errors: journal.errors(),
            violations,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let ms = |time: Duration| time.as_millis() as u64;
        let faults = self.faults.iter().map(|row| {
            json!({"fault": row.name, "times": row.times, "longest_gap_ms": ms(row.longest_gap),
                "longest_gap_that_counts_ms": ms(row.longest_that_counts)})
        });
        let gaps = self.gaps.iter().map(|gap| {
            json!({"partition": gap.partition, "from_ms": ms(gap.from), "to_ms": ms(gap.to), "counts_ms": ms(gap.counts)})
        });
        let broken = self.violations.iter().map(|v| json!({"rule": v.rule, "message": v.message}));
        json!({
            "seed": self.seed, "nodes": self.nodes, "seconds": self.took.as_secs(), "sent": self.sent,
            "acknowledged": self.acknowledged, "unknown": self.unknown, "read": self.read,
            "records": self.records, "bytes": self.bytes, "segments": self.segments,
            "without_majority_ms": ms(self.without_majority), "slowest_start_ms": ms(self.slowest_start),
            "faults": faults.collect::<Vec<_>>(), "longest_gaps": gaps.collect::<Vec<_>>(),
            "client_errors": self.errors, "violations": broken.collect::<Vec<_>>(),
        })
    }

    pub(crate) fn to_text(&self) -> String {
        let s = |time: Duration| format!("{:.1}", time.as_secs_f64());
        let mut lines = vec![
            String::new(),
            format!("seed {}, {} nodes, {} s", self.seed, self.nodes, self.took.as_secs()),
            String::new(),
            "| fault | times | longest without an acknowledgement in a partition, s | of it a majority could work |"
                .to_owned(),
            "|---|---:|---:|---:|".to_owned(),
        ];
        for row in &self.faults {
            let (gap, counts) = (s(row.longest_gap), s(row.longest_that_counts));
            lines.push(format!("| {} | {} | {gap} | {counts} |", row.name, row.times));
        }
        lines.extend([
            String::new(),
            "| what | |".to_owned(),
            "|---|---:|".to_owned(),
            format!("| faults | {} |", self.faults.iter().map(|row| row.times).sum::<u64>()),
            format!("| records sent | {} |", self.sent),
            format!("| acknowledged | {} |", self.acknowledged),
            format!("| of unknown fate, their producer died | {} |", self.unknown),
            format!("| in the logs at the end | {} |", self.records),
            format!("| bytes of one replica of each partition | {} |", self.bytes),
            format!("| its segments | {} |", self.segments),
            format!("| read by consumers | {} |", self.read),
            format!("| time without a majority, s | {} |", s(self.without_majority)),
            format!("| slowest start, s | {} |", s(self.slowest_start)),
        ]);
        lines.push(String::new());
        for gap in &self.gaps {
            let (from, to, counts) = (s(gap.from), s(gap.to), s(gap.counts));
            lines.push(format!(
                "partition {}: nothing acknowledged from {from} s to {to} s, {counts} s count",
                gap.partition
            ));
        }
        for (error, times) in &self.errors {
            lines.push(format!("{error}: {times} times"));
        }
        lines.push(String::new());
        for Violation { rule, message } in &self.violations {
            lines.push(format!("BROKEN {rule}: {message}"));
        }
        if self.violations.is_empty() {
            lines.push("All rules hold.".to_owned());
        }
        lines.join("\n")
    }
}

fn rows(past: &[Past], gaps: &[Gap]) -> Vec<FaultRow> {
    let mut rows: BTreeMap<&'static str, FaultRow> = BTreeMap::new();
    for fault in past {
        let row = rows.entry(fault.name).or_insert(FaultRow {
            name: fault.name,
            times: 0,
            longest_gap: Duration::ZERO,
            longest_that_counts: Duration::ZERO,
        });
        row.times += 1;
        for gap in gaps.iter().filter(|gap| gap.from < fault.to && fault.from < gap.to) {
            row.longest_gap = row.longest_gap.max(gap.to - gap.from);
            row.longest_that_counts = row.longest_that_counts.max(gap.counts);
        }
    }
    rows.into_values().collect()
}
