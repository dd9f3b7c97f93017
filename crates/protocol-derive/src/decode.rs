//! Emits `Message::decode`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::attrs::Versions;
use crate::default;
use crate::model::{Field, Model};

/// The function's body. `at` names the field that is being read, so that one place adds it to an error; the value goes
/// straight to the caller, for large structs are costly to move.
pub(crate) fn body(model: &Model) -> TokenStream {
    let flexible = set_flexible(model, &quote!(r));
    let plain = model.plain().map(plain_field);
    let tags = tags(model);
    let idents = model.fields.iter().map(|f| &f.ident);
    let locals = model.fields.iter().map(local);
    let unknown = model.unknown.iter();
    quote! {
        #flexible
        let mut at = "";
        let error: ::ottla_protocol::DecodeError = 'failed: {
            #(#plain)*
            #tags
            return ::core::result::Result::Ok(Self { #(#idents: #locals,)* #(#unknown: unknown,)* });
        };
        ::core::result::Result::Err(error.in_field(at))
    }
}

/// A message that stands alone decides whether its compact notation is in use; its parts follow.
pub(crate) fn set_flexible(model: &Model, io: &TokenStream) -> TokenStream {
    match &model.message {
        Some(message) => {
            let flexible = contains(message.flexible);
            quote!(#io.set_flexible(#flexible);)
        }
        None => quote!(),
    }
}

/// A condition on `version`.
pub(crate) fn contains(versions: Versions) -> TokenStream {
    let Versions { first, last } = versions;
    match (first, last) {
        _ if first > last => quote!(false),
        (0, i16::MAX) => quote!(true),
        (_, i16::MAX) => quote!(version >= #first),
        (0, _) => quote!(version <= #last),
        _ if first == last => quote!(version == #first),
        _ => quote!((#first..=#last).contains(&version)),
    }
}

/// The value of a result, or the end of the function's body.
fn or_fail(result: &TokenStream) -> TokenStream {
    quote!(match #result {
        ::core::result::Result::Ok(value) => value,
        ::core::result::Result::Err(error) => break 'failed error,
    })
}

/// The value of a result, or the end of a closure.
fn or_return(result: &TokenStream) -> TokenStream {
    quote!(#result?)
}

/// The variable of a field, apart from those of the emitted code: a field may be called `version`.
fn local(field: &Field) -> Ident {
    format_ident!("field_{}", field.text)
}

fn plain_field(field: &Field) -> TokenStream {
    let text = &field.text;
    let local = local(field);
    let value = read(field, or_fail);
    if field.attr.versions == Versions::ALL {
        return quote! { at = #text; let #local = #value; };
    }
    let present = contains(field.attr.versions);
    let absent = default::value(field);
    quote! { at = #text; let #local = if #present { #value } else { #absent }; }
}

fn read(field: &Field, checked: fn(&TokenStream) -> TokenStream) -> TokenStream {
    let ty = &field.ty;
    let value = checked(&quote!(<#ty as ::ottla_protocol::Field>::read(r, version)));
    let read_nullable = match field.attr.tag {
        Some(_) => quote!(read_nullable_tagged),
        None => quote!(read_nullable),
    };
    let nullable = checked(&quote!(<#ty as ::ottla_protocol::NullableField>::#read_nullable(r, version)));
    let value = match (field.optional, field.attr.nullable) {
        (false, _) => value,
        (true, None | Some(Versions::ALL)) => nullable,
        (true, Some(versions)) => {
            let may_be_null = contains(versions);
            quote!(if #may_be_null { #nullable } else { ::core::option::Option::Some(#value) })
        }
    };
    if field.attr.never_flexible {
        return quote!({ let flexible = r.set_flexible(false); let value = #value; r.set_flexible(flexible); value });
    }
    value
}

fn tags(model: &Model) -> TokenStream {
    if model.never_flexible() {
        let unknown = model.unknown.iter().map(|_| quote!(unknown));
        return quote!(#(let #unknown = ::core::default::Default::default();)*);
    }
    let unknown = if model.unknown.is_some() { quote!(unknown) } else { quote!(_) };
    let tagged = model.tagged();
    if tagged.is_empty() {
        let tags = or_fail(&quote!(r.read_unknown_tags()));
        return quote!(at = "tagged fields"; let #unknown = #tags;);
    }
    let starts = tagged.iter().map(|(_, field)| {
        let local = local(field);
        let value = default::value(field);
        quote!(let mut #local = #value;)
    });
    let arms = tagged.iter().map(|(tag, field)| {
        let text = &field.text;
        let local = local(field);
        let value = read(field, or_return);
        let present = if field.attr.versions == Versions::ALL {
            quote!()
        } else {
            let present = contains(field.attr.versions);
            quote!(if #present)
        };
        quote!(#tag #present => { at = #text; #local = #value; at = "tagged fields"; })
    });
    let tags = or_fail(&quote! {
        r.read_tagged_fields(|r, tag| {
            match tag {
                #(#arms)*
                _ => return Ok(false),
            }
            Ok(true)
        })
    });
    quote! {
        #(#starts)*
        at = "tagged fields";
        let #unknown = #tags;
    }
}
