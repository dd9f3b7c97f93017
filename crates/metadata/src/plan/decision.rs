//! What a plan yields.

use ottla_protocol::records::metadata::MetadataRecord;

/// What was decided: the answer holds once the records are committed, and only then may it leave.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "the records have to be committed before the answer may leave"]
pub struct Decision<T> {
    /// What changes; empty if nothing does.
    pub records: Vec<MetadataRecord>,
    /// What to tell who asked.
    pub answer: T,
}

impl<T> Decision<T> {
    /// Nothing changes.
    pub const fn unchanged(answer: T) -> Self {
        Self { records: Vec::new(), answer }
    }
}

/// Draws 64 random bits.
pub type Draw<'a> = &'a mut dyn FnMut() -> u64;
