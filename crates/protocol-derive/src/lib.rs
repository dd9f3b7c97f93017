//! The derive macro behind `ottla-protocol`: turns one annotated struct into its decoder, encoder, default value
//! and schema. It knows Kafka's version rules and nothing else: how a type looks on the wire is decided by
//! `ottla_protocol::Field`, which the emitted code calls.
//!
//! ```text
//! #[derive(Clone, Debug, PartialEq, Message)]
//! #[message(key = 12, versions = "0-4", flexible = "4+")]       a request or response of API key 12
//! #[message(record = 3, versions = "0-2", flexible = "0+")]     a record of type 3
//! #[message(versions = "0-3", flexible = "none")]               another message that stands alone
//!                                                               (no attribute: a part of such a message)
//! #[field(versions = "3+")]        absent from other versions
//! #[field(nullable = "3+")]        an `Option` that may be null in these versions only
//! #[field(tag = 0)]                a tagged field (KIP-482)
//! #[field(default = -1)]           what an absent field means; also `null`
//! #[field(ignorable)]              a version that lacks the field drops its value silently
//! #[field(flexible = "none")]      never in the compact notation
//! ```

mod attrs;
mod decode;
mod default;
mod encode;
mod model;
mod schema;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

use crate::model::Model;

/// Implements `Message` and `Default`, and `ApiMessage` where the struct has a `key` and `RecordMessage` where it
/// has a `record` type, as the crate documentation describes.
#[proc_macro_derive(Message, attributes(message, field))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match Model::from_input(&input) {
        Ok(model) => expand(&model).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn expand(model: &Model) -> proc_macro2::TokenStream {
    let name = &model.name;
    let decode = decode::body(model);
    let encode = encode::body(model);
    let schema = schema::message(model);
    let min_size = schema::min_size(model);
    let default = default::implementation(model);
    let roles = schema::roles(model);
    // A part is read in one place as a rule, which spares it moves.
    let inline = model.message.is_none().then(|| quote!(#[inline]));
    quote! {
        impl ::ottla_protocol::Message for #name {
            const SCHEMA: &'static ::ottla_protocol::schema::MessageSchema = &#schema;
            const MIN_SIZE: usize = #min_size;

            #inline
            fn decode(
                r: &mut ::ottla_protocol::Reader,
                version: ::ottla_protocol::Version,
            ) -> ::core::result::Result<Self, ::ottla_protocol::DecodeError> {
                #decode
            }

            fn encode(
                &self,
                w: &mut ::ottla_protocol::Writer,
                version: ::ottla_protocol::Version,
            ) -> ::core::result::Result<(), ::ottla_protocol::EncodeError> {
                #encode
            }
        }

        #default
        #roles
    }
}
