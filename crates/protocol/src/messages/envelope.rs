//! A broker forwards a client's request to the controller (KIP-590).

use crate::{Bytes, ErrorCode, Message, Request, TaggedFields, Version};

/// The request, and who sent it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 58, versions = "0", flexible = "0+")]
pub struct EnvelopeRequest {
    /// A request with its header.
    pub request_data: Bytes,
    /// Who sent the enveloped request, as [`DefaultPrincipalData`](super::DefaultPrincipalData) with its
    /// version before it.
    pub request_principal: Option<Bytes>,
    /// Where the client connects from, as the bytes of an IP address.
    pub client_host_address: Bytes,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}

impl Request for EnvelopeRequest {
    type Response = EnvelopeResponse;

    fn error_response(&self, _version: Version, error: ErrorCode) -> EnvelopeResponse {
        EnvelopeResponse { error_code: error, ..Default::default() }
    }
}

/// The response to it.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(key = 58, versions = "0", flexible = "0+")]
pub struct EnvelopeResponse {
    /// The response to the enveloped request, with its header.
    #[field(default = null)]
    pub response_data: Option<Bytes>,
    /// Why it failed, or 0.
    pub error_code: ErrorCode,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
