//! How a producer works.

use std::time::Duration;

use ottla_records::Compression;

use crate::{ClientError, Result};

/// When a broker answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acks {
    /// When every in-sync replica has the records.
    #[default]
    All,
    /// When the leader has them.
    Leader,
    /// Never: a record counts as delivered once it is sent, and its offset stays unknown.
    None,
}

impl Acks {
    pub(crate) const fn wire(self) -> i16 {
        match self {
            Self::All => -1,
            Self::Leader => 1,
            Self::None => 0,
        }
    }
}

/// How a producer works. The names and defaults are those of Kafka's producer settings.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// When a broker answers.
    pub acks: Acks,
    /// Whether a record that is sent again is written once and in order (`enable.idempotence`). Needs
    /// [`Acks::All`]; ignored without.
    pub idempotence: bool,
    /// How batches are compressed.
    pub compression: Compression,
    /// How long a batch waits for more records.
    pub linger: Duration,
    /// A batch is sent at this size at the latest, bytes. A larger record gets a batch of its own.
    pub batch_size: usize,
    /// What all records that are not acknowledged yet may take together, bytes; sending waits beyond.
    pub buffer_memory: usize,
    /// The largest record, bytes, uncompressed.
    pub max_request_size: usize,
    /// Unanswered requests per broker, from 1 to 5 (`max.in.flight.requests.per.connection`).
    pub max_in_flight: usize,
    /// How long a record may take from [`Producer::send`](crate::Producer::send) to its acknowledgement
    /// with all retries.
    pub delivery_timeout: Duration,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            acks: Acks::All,
            idempotence: true,
            compression: Compression::default(),
            linger: Duration::from_millis(5),
            batch_size: 16 * 1024,
            buffer_memory: 32 << 20,
            max_request_size: 1 << 20,
            max_in_flight: 5,
            delivery_timeout: Duration::from_secs(120),
        }
    }
}

impl ProducerConfig {
    /// Whether sequence numbers are in use.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.idempotence && self.acks == Acks::All
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let invalid = |what, value: usize, expected| {
            Err(ClientError::Invalid { what, value: value.to_string(), expected })
        };
        if !(1..=5).contains(&self.max_in_flight) {
            return invalid("max.in.flight.requests.per.connection", self.max_in_flight, "1 to 5");
        }
        if self.buffer_memory < self.max_request_size {
            return invalid("buffer.memory", self.buffer_memory, "at least max.request.size");
        }
        if self.buffer_memory > u32::MAX as usize {
            return invalid("buffer.memory", self.buffer_memory, "below 4 GiB");
        }
        Ok(())
    }
}
