//! What must not be, each a function of the history. Names and numbers: R as in Jepsen's Kafka checker and Ottla's own list,
//! C of the controllers' decisions.

mod ack_mismatch;
mod committed_lost;
mod controller;
mod duplicate;
mod fenced_fetch;
mod inconsistent_offset;
mod kept_place;
mod lineage;
mod liveness;
mod lost_write;
mod moved_in_sync;
mod phantom;
mod real_time_order;
mod replica_equality;
mod send_order;
mod stale_leader;
#[cfg(test)]
mod testing;
mod truncated_committed;
mod vanished_read;
mod watermarks;

use crate::History;

/// A rule that a history breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its name.
    pub rule: &'static str,
    /// How.
    pub message: String,
}

type Rule = (&'static str, fn(&History) -> Option<String>);

const RULES: [Rule; 23] = [
    ("R1 inconsistent-offset", inconsistent_offset::check),
    ("R2 duplicate", duplicate::check),
    ("R3 lost-write", lost_write::check),
    ("R4 ack-mismatch", ack_mismatch::check),
    ("R5 phantom", phantom::check),
    ("R8 vanished-read", vanished_read::check),
    ("R10 send-order", send_order::check),
    ("R12 real-time-order", real_time_order::check),
    ("R13 watermarks", watermarks::check),
    ("R13 stale-leader", stale_leader::check),
    ("R17 replica-equality", replica_equality::check),
    ("R18 lineage", lineage::check),
    ("R18 fenced-fetch", fenced_fetch::check),
    ("R20 liveness", liveness::check),
    ("C1 one-leader-per-epoch", controller::check_one_leader),
    ("C2 epochs-rise", controller::check_epochs),
    ("C3 isr-of-replicas", controller::check_isr),
    ("C4 leader-in-isr", controller::check_leader),
    ("C5 committed-lost", committed_lost::check),
    ("C6 elected-lacks-committed", committed_lost::check_elected),
    ("C7 kept-place", kept_place::check),
    ("C8 moved-in-sync", moved_in_sync::check),
    ("C9 truncated-committed", truncated_committed::check),
];

/// All that `history` breaks, the first breach of each rule.
pub fn check(history: &History) -> Vec<Violation> {
    let broken = |&(rule, check): &Rule| check(history).map(|message| Violation { rule, message });
    RULES.iter().filter_map(broken).collect()
}
