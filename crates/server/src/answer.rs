//! What handlers return, and how it becomes bytes.

use ottla_network::{Reply, ReplySegment};
use ottla_protocol::frame::{encode_response, encode_response_segments};
use ottla_protocol::{ApiMessage, EncodeError, Segment, Version};

/// How a request is answered.
#[derive(Debug)]
pub enum Answer<M> {
    /// With a response.
    Response(M),
    /// With a response whose records are elsewhere: `records[i]` is what stands for
    /// [`FetchedRecords::External`](ottla_protocol::FetchedRecords::External) with index `i`.
    Spliced {
        /// The response.
        response: M,
        /// The records, in memory or in files.
        records: Vec<Vec<ReplySegment>>,
    },
    /// Not at all (Produce with acks=0).
    Silence,
    /// By ending the connection, which is how a client with acks=0 learns of an error.
    Close {
        /// Why, for the log.
        reason: String,
    },
}

/// How far a request came at once.
#[derive(Debug)]
pub enum Started<A, W> {
    /// To its answer.
    Answered(A),
    /// It waits for something.
    Waits(W),
}

/// What a handler of an API with response `M` may return.
pub trait IntoAnswer<M> {
    /// The answer.
    fn into_answer(self) -> Answer<M>;
}

impl<M> IntoAnswer<M> for Answer<M> {
    fn into_answer(self) -> Self {
        self
    }
}

impl<M: ApiMessage> IntoAnswer<M> for M {
    fn into_answer(self) -> Answer<M> {
        Answer::Response(self)
    }
}

impl<M: ApiMessage> IntoAnswer<M> for Option<M> {
    fn into_answer(self) -> Answer<M> {
        self.map_or(Answer::Silence, Answer::Response)
    }
}

impl<M: ApiMessage> Answer<M> {
    /// The frame, or why there is none.
    pub(crate) fn encode(self, correlation_id: i32, version: Version) -> Result<Reply, EncodeError> {
        Ok(match self {
            Self::Response(response) => Reply::Frame(encode_response(correlation_id, version, &response)?),
            Self::Spliced { response, records } => {
                splice(encode_response_segments(correlation_id, version, &response)?, records)
            }
            Self::Silence => Reply::None,
            Self::Close { reason } => Reply::Close { reason },
        })
    }
}

/// Puts the records where the stand-ins are.
fn splice(segments: Vec<Segment>, mut records: Vec<Vec<ReplySegment>>) -> Reply {
    let mut frame = Vec::with_capacity(segments.len() + records.len());
    for segment in segments {
        match segment {
            Segment::Bytes(bytes) => frame.push(ReplySegment::Bytes(bytes)),
            Segment::External { index, len } => {
                let slices = records.get_mut(index).map(std::mem::take).unwrap_or_default();
                let promised: u64 = slices.iter().map(ReplySegment::len).sum();
                if promised != len as u64 {
                    return Reply::Close {
                        reason: format!(
                            "records {index} of the response are {promised} bytes, not the {len} stated"
                        ),
                    };
                }
                frame.extend(slices);
            }
        }
    }
    Reply::Segments(frame)
}
