//! Payloads that are sent without being copied into a frame.

use bytes::Bytes;

/// Record batches as they are on the wire and on disk; see `ottla-records` for what is in them.
pub type Records = Bytes;

/// The records of one partition in a fetch response: bytes, or a stand-in for bytes that the sender has elsewhere
/// (a file range), of which only the length is known here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedRecords {
    /// The records themselves. Decoding yields these.
    Bytes(Records),
    /// Records that the sender inserts itself: [`encode_response_segments`](crate::frame::encode_response_segments)
    /// gives the stand-in back in the right place. Other encoders refuse it.
    External {
        /// The sender's own number for them.
        index: usize,
        /// How many bytes they are.
        len: usize,
    },
}

impl FetchedRecords {
    /// How many bytes they are.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { len, .. } => *len,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are here.
    pub fn bytes(&self) -> Option<&Records> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::External { .. } => None,
        }
    }
}

impl Default for FetchedRecords {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl From<Bytes> for FetchedRecords {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// A stretch of a frame, in sending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes that the sender inserts: see [`FetchedRecords::External`].
    External {
        /// The sender's own number for them.
        index: usize,
        /// How many bytes they are.
        len: usize,
    },
}

impl Segment {
    /// How many bytes it is.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { len, .. } => *len,
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
