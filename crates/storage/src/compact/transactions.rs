//! What is known of transactions while their batches go by (`CleanedTransactionMetadata`).

use std::collections::{HashMap, HashSet, VecDeque};

use ottla_records::{BatchHeader, EndTxnMarker};
use ottla_types::ProducerId;

/// A transaction that was aborted, as `%020d.txnindex` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AbortedTxn {
    pub(super) producer_id: ProducerId,
    pub(super) first_offset: i64,
    /// Of the marker.
    pub(super) last_offset: i64,
    pub(super) last_stable_offset: i64,
}

impl AbortedTxn {
    /// Version, producer, first offset, last offset, last stable offset.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend(0_i16.to_be_bytes());
        for field in [self.producer_id.0, self.first_offset, self.last_offset, self.last_stable_offset] {
            out.extend(field.to_be_bytes());
        }
    }
}

/// The batches are shown to it in order.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// By first offset.
    aborted: VecDeque<AbortedTxn>,
    ongoing_aborted: HashMap<ProducerId, Ongoing>,
    ongoing_committed: HashSet<ProducerId>,
}

#[derive(Debug)]
struct Ongoing {
    txn: AbortedTxn,
    has_batches: bool,
}

/// What a marker means for the cleaner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// None of its transaction's records are left, so it may go.
    pub(super) is_idle: bool,
    /// It stays, and readers have to know what it aborts.
    pub(super) aborts: Option<AbortedTxn>,
}

impl Transactions {
    /// `aborted` by first offset.
    pub(super) fn new(aborted: impl IntoIterator<Item = AbortedTxn>) -> Self {
        Self { aborted: aborted.into_iter().collect(), ..Self::default() }
    }

    /// A batch of data; whether it was aborted.
    pub(super) fn on_data(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset().0);
        if !header.attributes.is_transactional() {
            return false;
        }
        match self.ongoing_aborted.get_mut(&header.producer_id) {
            Some(ongoing) => {
                ongoing.has_batches = true;
                true
            }
            None => {
                self.ongoing_committed.insert(header.producer_id);
                false
            }
        }
    }

    /// A control batch; `None`: it was emptied before.
    pub(super) fn on_marker(&mut self, header: &BatchHeader, marker: Option<&EndTxnMarker>) -> Marker {
        self.begin_up_to(header.last_offset().0);
        match marker {
            None => Marker { is_idle: true, aborts: None },
            Some(marker) if marker.commit => {
                Marker { is_idle: !self.ongoing_committed.remove(&header.producer_id), aborts: None }
            }
            Some(_) => {
                let ended = self.ongoing_aborted.remove(&header.producer_id);
                let aborts = ended.filter(|ongoing| ongoing.has_batches).map(|ongoing| ongoing.txn);
                Marker { is_idle: aborts.is_none(), aborts }
            }
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(txn) = self.aborted.front().filter(|txn| txn.first_offset <= offset).copied() {
            self.aborted.pop_front();
            self.ongoing_aborted.entry(txn.producer_id).or_insert(Ongoing { txn, has_batches: false });
        }
    }
}
