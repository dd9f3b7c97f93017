//! Whole requests and responses: the four bytes of length, the header, the message.
//!
//! ```text
//! length i32 │ RequestHeader 1 or 2: key i16, version i16, correlation id i32, client id │ request
//! length i32 │ ResponseHeader 0 or 1: correlation id i32                                 │ response
//! ```
//!
//! Decoders take what is behind the length; encoders write the length too.

use bytes::{Buf, Bytes};

use crate::messages::{RequestHeader, ResponseHeader};
use crate::{
    ApiKey, ApiMessage, DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Message, Reader, Request,
    Segment, Version, Writer,
};

/// What the containers of one request may take in memory at most.
const MAX_REQUEST_MEMORY: usize = 256 << 20;

/// Takes the header off a request's frame, and leaves the body. The API and version may be unknown ones: then the
/// header is still read as far as every version of it agrees.
pub fn decode_request_header(frame: &mut Bytes) -> Result<RequestHeader, DecodeError> {
    let (key, version) = peek_request(frame)?;
    let mut r = Reader::new(frame);
    let header = RequestHeader::decode(&mut r, key.request_header_version(version))?;
    *frame = r.into_rest();
    Ok(header)
}

/// The API and version that a request's frame starts with.
pub fn peek_request(frame: &Bytes) -> Result<(ApiKey, Version), DecodeError> {
    let mut r = Reader::new(frame);
    let key = i16::from_be_bytes(r.read_array()?);
    Ok((ApiKey(key), Version::from_be_bytes(r.read_array()?)))
}

/// Reads all of `body` as a message of `version`. Strings and byte fields share its memory.
pub fn decode_body<M: Message>(body: Bytes, version: Version) -> Result<M, DecodeError> {
    let mut r = Reader::new(&body);
    let message = decode_start(&mut r, version)?;
    r.finish()?;
    Ok(message)
}

/// Reads `body` as a request of `version`. Bytes behind the request are ignored, as Kafka's brokers do:
/// librdkafka (2.16 still) asks for the metadata of all topics, from version 9 on, with 3 bytes too many.
///
/// Comes with the memory that the request's containers take, bytes; strings and byte fields share `body`'s.
pub fn decode_request_body<R: Request>(body: Bytes, version: Version) -> Result<(R, usize), DecodeError> {
    let mut r = Reader::new(&body).at_most(MAX_REQUEST_MEMORY);
    let request = decode_start(&mut r, version)?;
    Ok((request, r.memory_used()))
}

fn decode_start<M: Message>(r: &mut Reader, version: Version) -> Result<M, DecodeError> {
    let known = M::SCHEMA.versions;
    if !known.contains(version) {
        let (first, last) = (known.first, known.last);
        return Err(r.error(DecodeErrorKind::Version { version, first, last }));
    }
    M::decode(r, version)
}

/// The correlation id that a response's frame starts with.
pub fn peek_correlation_id(frame: &Bytes) -> Result<i32, DecodeError> {
    Reader::new(frame).read_array().map(i32::from_be_bytes)
}

/// Reads a response's frame: its correlation id and the response.
pub fn decode_response<R: ApiMessage>(frame: Bytes, version: Version) -> Result<(i32, R), DecodeError> {
    let mut r = Reader::new(&frame);
    let header = ResponseHeader::decode(&mut r, R::KEY.response_header_version(version))?;
    Ok((header.correlation_id, decode_body(r.into_rest(), version)?))
}

/// A request's frame, in the API and version that the header names.
pub fn encode_request<R: ApiMessage>(header: &RequestHeader, request: &R) -> Result<Bytes, EncodeError> {
    let mut w = Writer::with_capacity(256);
    put_request(&mut w, header, request)?;
    Ok(w.into_bytes())
}

/// Like [`encode_request`], without copying long byte fields such as records.
pub fn encode_request_segments<R: ApiMessage>(
    header: &RequestHeader,
    request: &R,
) -> Result<Vec<Segment>, EncodeError> {
    let mut w = Writer::segmented(256);
    put_request(&mut w, header, request)?;
    Ok(w.into_segments())
}

/// A response's frame.
pub fn encode_response<R: ApiMessage>(
    correlation_id: i32,
    version: Version,
    response: &R,
) -> Result<Vec<u8>, EncodeError> {
    let mut w = Writer::with_capacity(256);
    put_response(&mut w, correlation_id, version, response)?;
    Ok(w.into_vec())
}

/// Like [`encode_response`], without copying long byte fields, and with a stand-in wherever the sender inserts
/// records of its own ([`FetchedRecords::External`](crate::FetchedRecords::External)). The length in front counts
/// those too.
pub fn encode_response_segments<R: ApiMessage>(
    correlation_id: i32,
    version: Version,
    response: &R,
) -> Result<Vec<Segment>, EncodeError> {
    let mut w = Writer::segmented(1024);
    put_response(&mut w, correlation_id, version, response)?;
    Ok(w.into_segments())
}

impl RequestHeader {
    /// The header of an `R` in `version`.
    pub fn of<R: ApiMessage>(
        version: Version,
        correlation_id: i32,
        client_id: Option<crate::ByteString>,
    ) -> Self {
        Self {
            request_api_key: R::KEY.code(),
            request_api_version: version,
            correlation_id,
            client_id,
            ..Self::default()
        }
    }

    /// The API.
    pub fn api_key(&self) -> ApiKey {
        ApiKey(self.request_api_key)
    }
}

fn put_request<R: ApiMessage>(
    w: &mut Writer,
    header: &RequestHeader,
    request: &R,
) -> Result<(), EncodeError> {
    let version = header.request_api_version;
    check_version::<R>(version)?;
    w.put_slice(&[0; 4]);
    header.encode(w, R::KEY.request_header_version(version))?;
    request.encode(w, version)?;
    w.set_frame_len(0)
}

fn put_response<R: ApiMessage>(
    w: &mut Writer,
    correlation_id: i32,
    version: Version,
    response: &R,
) -> Result<(), EncodeError> {
    check_version::<R>(version)?;
    w.put_slice(&[0; 4]);
    let header = ResponseHeader { correlation_id, ..Default::default() };
    header.encode(w, R::KEY.response_header_version(version))?;
    response.encode(w, version)?;
    w.set_frame_len(0)
}

fn check_version<R: ApiMessage>(version: Version) -> Result<(), EncodeError> {
    if R::SCHEMA.versions.contains(version) {
        Ok(())
    } else {
        Err(EncodeError::new(EncodeErrorKind::Version(version)))
    }
}

/// Takes the length off the front of a complete frame, for tests and in-memory connections.
pub fn strip_length(mut frame: Bytes) -> Bytes {
    frame.advance(frame.len().min(4));
    frame
}
