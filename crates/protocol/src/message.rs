//! What every message can do.

use std::ops::RangeInclusive;

use crate::schema::MessageSchema;
use crate::{ApiKey, DecodeError, EncodeError, ErrorCode, Reader, Writer};

/// A version of one API or record type.
pub type Version = i16;

/// A struct with a wire format per version; derive it. Parts of messages implement it too.
pub trait Message: Sized + Default {
    /// What the struct's annotations say.
    const SCHEMA: &'static MessageSchema;
    /// The fewest bytes that a value takes in any version.
    const MIN_SIZE: usize;

    /// Reads a value of version `version`, which the caller has found in the schema's range. Bytes behind it are
    /// left to the caller.
    fn decode(r: &mut Reader, version: Version) -> Result<Self, DecodeError>;

    /// Writes the value in version `version`; refuses a field that is set and that the version lacks.
    fn encode(&self, w: &mut Writer, version: Version) -> Result<(), EncodeError>;
}

/// A request or a response: a message with an API key.
pub trait ApiMessage: Message {
    /// The API that the message belongs to.
    const KEY: ApiKey;
    /// The stable versions; a version that Kafka still changes is in the schema's range only.
    const VERSIONS: RangeInclusive<Version>;
    /// The first version with compact notation and tagged fields (KIP-482); above every version if none has them.
    const FLEXIBLE_FROM: Version = Self::SCHEMA.flexible_from();
}

/// A request, and how it is refused.
pub trait Request: ApiMessage {
    /// What answers it, in the same version.
    type Response: ApiMessage;

    /// The response that tells the peer of `error` wherever a reader of version `version` looks for it: per topic,
    /// partition or group where the response has no error of its own (Kafka: `AbstractRequest.getErrorResponse`).
    fn error_response(&self, version: Version, error: ErrorCode) -> Self::Response;
}

/// A value in an internal topic or the metadata log, told apart by a type number.
pub trait RecordMessage: Message {
    /// The type's number; in `__consumer_offsets` the version of the record's key.
    const RECORD_TYPE: i16;
    /// All versions.
    const VERSIONS: RangeInclusive<Version>;
}
