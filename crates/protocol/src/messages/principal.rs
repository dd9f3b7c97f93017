use crate::{ByteString, Message, TaggedFields};

#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData {
    pub r#type: ByteString,
    pub name: ByteString,
    pub token_authenticated: bool,
    pub unknown_tagged_fields: TaggedFields,
}
