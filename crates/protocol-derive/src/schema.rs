//! Emits the schema constants and the traits that name a message's role.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attrs::{DefaultAttr, Versions};
use crate::model::{Field, Model, last_segment};

/// `MessageSchema { .. }`.
pub(crate) fn message(model: &Model) -> TokenStream {
    let name = model.name.to_string();
    let fields = model.fields.iter().map(field);
    let (kind, valid, flexible) = match &model.message {
        None => (quote!(Part), versions(Versions::ALL), versions(Versions::NONE)),
        Some(message) => {
            let kind = match (message.key, message.record) {
                (Some(key), _) if name.ends_with("Request") => {
                    quote!(Request(::ottla_protocol::ApiKey(#key)))
                }
                (Some(key), _) => quote!(Response(::ottla_protocol::ApiKey(#key))),
                (None, Some(record)) => quote!(Record(#record)),
                (None, None) => quote!(Data),
            };
            (kind, versions(message.versions), versions(message.flexible))
        }
    };
    quote! {
        ::ottla_protocol::schema::MessageSchema {
            name: #name,
            kind: ::ottla_protocol::schema::MessageKind::#kind,
            versions: #valid,
            flexible: #flexible,
            fields: &[#(#fields),*],
        }
    }
}

/// The fewest bytes that a value takes in any version: bounds the counts of arrays.
pub(crate) fn min_size(model: &Model) -> TokenStream {
    let always = model.plain().filter(|f| f.attr.versions == Versions::ALL);
    let sizes = always.map(|field| {
        let ty = &field.ty;
        // A null structure is one byte.
        if field.optional { quote!(1) } else { quote!(<#ty as ::ottla_protocol::Field>::MIN_SIZE) }
    });
    quote!(0 #(+ #sizes)*)
}

/// `ApiMessage` or `RecordMessage`.
pub(crate) fn roles(model: &Model) -> TokenStream {
    let Some(message) = &model.message else { return quote!() };
    let name = &model.name;
    let Versions { first, last } = message.versions;
    let last = if message.latest_unstable { last - 1 } else { last };
    if let Some(key) = message.key {
        return quote! {
            impl ::ottla_protocol::ApiMessage for #name {
                const KEY: ::ottla_protocol::ApiKey = ::ottla_protocol::ApiKey(#key);
                const VERSIONS: ::core::ops::RangeInclusive<::ottla_protocol::Version> = #first..=#last;
            }
        };
    }
    match message.record {
        Some(record) => quote! {
            impl ::ottla_protocol::RecordMessage for #name {
                const RECORD_TYPE: i16 = #record;
                const VERSIONS: ::core::ops::RangeInclusive<::ottla_protocol::Version> = #first..=#last;
            }
        },
        None => quote!(),
    }
}

fn field(field: &Field) -> TokenStream {
    let FieldParts { name, ty, valid, nullable, tag, default, ignorable, never_flexible } = parts(field);
    quote! {
        ::ottla_protocol::schema::FieldSchema {
            name: #name,
            ty: #ty,
            versions: #valid,
            nullable: #nullable,
            tag: #tag,
            default: #default,
            ignorable: #ignorable,
            never_flexible: #never_flexible,
        }
    }
}

struct FieldParts<'a> {
    name: &'a str,
    ty: TokenStream,
    valid: TokenStream,
    nullable: TokenStream,
    tag: TokenStream,
    default: TokenStream,
    ignorable: bool,
    never_flexible: bool,
}

fn parts(field: &Field) -> FieldParts<'_> {
    let ty = &field.ty;
    let is_records = last_segment(ty).is_some_and(|s| s.ident == "Records");
    let nullable = match (field.optional, field.attr.nullable) {
        (true, Some(nullable)) => nullable,
        (true, None) => Versions::ALL,
        (false, _) => Versions::NONE,
    };
    FieldParts {
        name: &field.text,
        ty: if is_records {
            quote!(::ottla_protocol::schema::FieldType::Records)
        } else {
            quote!(<#ty as ::ottla_protocol::Field>::TYPE)
        },
        valid: versions(field.attr.versions),
        nullable: versions(nullable),
        tag: match field.attr.tag {
            Some(tag) => quote!(::core::option::Option::Some(#tag)),
            None => quote!(::core::option::Option::None),
        },
        default: match &field.attr.default {
            DefaultAttr::Own => quote!(""),
            DefaultAttr::Null => quote!("null"),
            DefaultAttr::Value(value) => {
                let text = quote!(#value).to_string().replace(' ', "");
                quote!(#text)
            }
        },
        ignorable: field.attr.ignorable,
        never_flexible: field.attr.never_flexible,
    }
}

fn versions(versions: Versions) -> TokenStream {
    let Versions { first, last } = versions;
    quote!(::ottla_protocol::schema::VersionRange { first: #first, last: #last })
}
