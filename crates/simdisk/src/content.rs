//! One file's bytes: what reads see, what power loss leaves, and the changes in between.

use ottla_env::Rng;

/// What a disk writes as one piece.
const SECTOR_BYTES: usize = 512;

/// A change that no sync has covered yet.
#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

/// A file's bytes.
///
/// ```text
///  write ──▶ cached (reads see it) ──sync──▶ durable (power loss leaves it)
///       └──▶ pending: survives power loss in any part, by sectors
/// ```
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    cached: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
    reserved: u64,
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.cached.len() as u64
    }

    /// Bytes of the device that it holds: its length or what was reserved.
    pub(crate) fn footprint(&self) -> u64 {
        self.len().max(self.reserved)
    }

    pub(crate) fn reserve(&mut self, end: u64) {
        self.reserved = self.reserved.max(end);
    }

    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> usize {
        let from = to_index(offset).min(self.cached.len());
        let n = buf.len().min(self.cached.len() - from);
        buf[..n].copy_from_slice(&self.cached[from..from + n]);
        n
    }

    pub(crate) fn write_at(&mut self, bytes: &[u8], offset: u64) {
        let change = Change::Write { offset: to_index(offset), bytes: bytes.to_vec() };
        apply(&mut self.cached, &change);
        self.pending.push(change);
    }

    pub(crate) fn set_len(&mut self, len: u64) {
        let change = Change::SetLen(to_index(len));
        apply(&mut self.cached, &change);
        if len < self.reserved {
            self.reserved = len;
        }
        self.pending.push(change);
    }

    /// Everything written so far is on the device.
    pub(crate) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// What Linux does when writing the dirty pages fails: they are marked clean, reads still see them, and the
    /// next sync has nothing to do and succeeds.
    pub(crate) fn fail_sync(&mut self, rng: &mut dyn Rng) {
        self.keep_some(rng);
        self.pending.clear();
    }

    /// Power loss: what is left is the durable bytes and any part of the pending ones.
    pub(crate) fn lose_power(&mut self, rng: &mut dyn Rng) {
        self.keep_some(rng);
        self.pending.clear();
        self.cached = self.durable.clone();
        self.reserved = self.len();
    }

    /// Flips bits where they rest.
    pub(crate) fn corrupt(&mut self, offset: u64, mask: u8) {
        for bytes in [&mut self.cached, &mut self.durable] {
            if let Some(byte) = bytes.get_mut(to_index(offset)) {
                *byte ^= mask;
            }
        }
    }

    fn keep_some(&mut self, rng: &mut dyn Rng) {
        let pending = std::mem::take(&mut self.pending);
        // Whole outcomes that happen often in life get their own share; the rest is any subset of sectors.
        let kept = match rng.below(8) {
            0 | 1 => 0,
            2 | 3 => pending.len(),
            4 | 5 => usize::try_from(rng.below(pending.len() as u64 + 1)).unwrap_or(0),
            _ => {
                for change in &pending {
                    self.keep_sectors(change, rng);
                }
                return;
            }
        };
        for change in &pending[..kept] {
            apply(&mut self.durable, change);
        }
        // The write that was under way when the power went.
        if let Some(torn) = pending.get(kept)
            && rng.below(2) == 0
        {
            self.keep_sectors(torn, rng);
        }
    }

    fn keep_sectors(&mut self, change: &Change, rng: &mut dyn Rng) {
        match change {
            Change::SetLen(_) => {
                if rng.below(2) == 0 {
                    apply(&mut self.durable, change);
                }
            }
            Change::Write { offset, bytes } => {
                // The length may have reached the device before the data did.
                if rng.below(4) == 0 && self.durable.len() < offset + bytes.len() {
                    self.durable.resize(offset + bytes.len(), 0);
                }
                let mut at = *offset;
                let end = offset + bytes.len();
                while at < end {
                    let sector_end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end);
                    if rng.below(2) == 0 {
                        let bytes = bytes[at - offset..sector_end - offset].to_vec();
                        apply(&mut self.durable, &Change::Write { offset: at, bytes });
                    }
                    at = sector_end;
                }
            }
        }
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::SetLen(len) => bytes.resize(*len, 0),
        Change::Write { offset, bytes: new } => {
            let end = offset + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(new);
        }
    }
}

fn to_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
