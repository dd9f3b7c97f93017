//! How a forwarded request names its sender.

use crate::{ByteString, Message, TaggedFields};

/// Who sent a forwarded request.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData {
    /// The principal's type, such as `User`.
    pub r#type: ByteString,
    /// The principal's name.
    pub name: ByteString,
    /// Whether the principal came in with a delegation token.
    pub token_authenticated: bool,
    /// Tagged fields of newer versions.
    pub unknown_tagged_fields: TaggedFields,
}
