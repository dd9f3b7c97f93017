//! A history that breaks no rule, to break one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ottla_metadata::image::PartitionImage;
use ottla_types::{BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionEpoch};

use crate::Value;
use crate::*;

pub(super) const fn offset(n: i64) -> Offset {
    Offset(n)
}

pub(super) const fn value(producer: u32, number: u64) -> Value {
    Value(producer, number)
}

/// A send of a second's length, with acks=all.
pub(super) fn send(producer: u32, number: u64, at: u64, outcome: Outcome) -> Send {
    Send {
        partition: 0,
        value: value(producer, number),
        idempotent: false,
        all: true,
        invoked: Duration::from_secs(at),
        ended: Duration::from_secs(at + 1),
        outcome,
        out_of_order: false,
    }
}

pub(super) const fn dumped(at: i64, epoch: i32, value: Value) -> Dumped {
    Dumped { offset: Offset(at), epoch: LeaderEpoch(epoch), crc: at as u32, value }
}

fn version(leader: i32, epoch: i32, isr: &[i32]) -> Version {
    let nodes = |ids: &[i32]| ids.iter().copied().map(NodeId).collect();
    let state = PartitionImage {
        replicas: nodes(&[1, 2]),
        directories: Box::default(),
        isr: nodes(isr),
        elr: Box::default(),
        last_known_elr: Box::default(),
        removing_replicas: Box::default(),
        adding_replicas: Box::default(),
        leader: NodeId(leader),
        leader_recovery_state: Default::default(),
        leader_epoch: LeaderEpoch(epoch),
        partition_epoch: PartitionEpoch(epoch),
    };
    Version { partition: 0, state }
}

fn watermark(leader: i32, epoch: i32, end: i64) -> Watermark {
    Watermark {
        partition: 0,
        leader: (NodeId(leader), 1),
        epoch: LeaderEpoch(epoch),
        log_start: Offset(0),
        high_watermark: Offset(end),
        log_end: Offset(end),
    }
}

fn led(leader: i32, epoch: i32) -> Led {
    Led { partition: 0, epoch: LeaderEpoch(epoch), leader: NodeId(leader) }
}

/// Broker 1 leads, then 2: three values of two producers.
pub(super) fn sound() -> History {
    let records = vec![dumped(0, 0, value(0, 0)), dumped(1, 0, value(1, 0)), dumped(2, 2, value(0, 1))];
    let dump = |replica, is_leader| Dump { partition: 0, replica, is_leader, records: records.clone() };
    let read = |at: &Dumped| Read { partition: 0, offset: at.offset, value: at.value };
    History {
        sends: vec![
            send(0, 0, 10, Outcome::Ok(Offset(0))),
            send(1, 0, 20, Outcome::Ok(Offset(1))),
            send(0, 1, 30, Outcome::Ok(Offset(2))),
        ],
        reads: records.iter().map(read).collect(),
        watermarks: vec![watermark(1, 0, 2), watermark(2, 2, 3)],
        appends: vec![
            Append { partition: 0, epoch: LeaderEpoch(0), leader: (NodeId(1), 1) },
            Append { partition: 0, epoch: LeaderEpoch(2), leader: (NodeId(2), 1) },
        ],
        served: BTreeMap::from([(led(1, 0), Duration::from_secs(24)), (led(2, 2), Duration::from_secs(40))]),
        deposed: vec![(led(1, 0), Duration::from_secs(25))],
        fetches: BTreeSet::from([(led(1, 0), LeaderEpoch(0)), (led(2, 2), LeaderEpoch(2))]),
        noted: BTreeSet::from([(NodeId(1), BrokerEpoch(5))]),
        restarts: vec![Restart {
            partition: 0,
            broker: NodeId(1),
            former: BrokerEpoch(5),
            is_eligible: true,
            is_needed: true,
        }],
        // Of an epoch that nobody else has.
        truncations: vec![Truncation {
            partition: 0,
            replica: NodeId(1),
            is_eligible: true,
            committed: vec![dumped(2, 1, value(7, 7))],
        }],
        versions: vec![version(1, 0, &[1, 2]), version(2, 2, &[2])],
        elections: vec![Election {
            partition: 0,
            leader: NodeId(2),
            log_end: Some(Offset(2)),
            committed: Offset(2),
        }],
        dumps: vec![dump(NodeId(2), true), dump(NodeId(1), false)],
        unmet: Vec::new(),
    }
}

/// The rules that the sound history breaks once `spoil` has changed it.
pub(super) fn breaks(spoil: impl FnOnce(&mut History)) -> Vec<&'static str> {
    let mut history = sound();
    assert_eq!(super::check(&history), []);
    spoil(&mut history);
    super::check(&history).into_iter().map(|violation| violation.rule).collect()
}
