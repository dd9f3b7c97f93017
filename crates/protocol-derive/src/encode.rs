//! Emits `Message::encode`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attrs::Versions;
use crate::decode::{contains, set_flexible};
use crate::default;
use crate::model::{Field, Model};

/// The function's body. `at` names the field that is being written, so that one place adds it to an error.
pub(crate) fn body(model: &Model) -> TokenStream {
    let name = model.name.to_string();
    let flexible = set_flexible(model, &quote!(w));
    let plain = model.plain().map(plain_field);
    let tags = tags(model);
    quote! {
        #flexible
        let mut at = "";
        let encoded = (|| -> ::core::result::Result<(), ::ottla_protocol::EncodeError> {
            #(#plain)*
            #tags
            Ok(())
        })();
        encoded.map_err(|error| error.in_field(#name, at, version))
    }
}

fn plain_field(field: &Field) -> TokenStream {
    let text = &field.text;
    let write = write(field);
    if field.attr.versions == Versions::ALL {
        return quote! { at = #text; #write };
    }
    let present = contains(field.attr.versions);
    let absent = refuse(field);
    quote! { at = #text; if #present { #write } #absent }
}

/// What happens to a value that the version cannot carry.
fn refuse(field: &Field) -> TokenStream {
    if field.attr.ignorable {
        return quote!();
    }
    let differs = differs(field);
    quote!(else if #differs { return Err(::ottla_protocol::EncodeError::unsupported()); })
}

fn differs(field: &Field) -> TokenStream {
    let ident = &field.ident;
    let default = default::value(field);
    quote!(self.#ident != #default)
}

fn write(field: &Field) -> TokenStream {
    let Field { ident, ty, .. } = field;
    let write_nullable = match field.attr.tag {
        Some(_) => quote!(write_nullable_tagged),
        None => quote!(write_nullable),
    };
    let nullable = quote! {
        <#ty as ::ottla_protocol::NullableField>::#write_nullable(self.#ident.as_ref(), w, version)?;
    };
    let write = match (field.optional, field.attr.nullable) {
        (false, _) => quote!(<#ty as ::ottla_protocol::Field>::write(&self.#ident, w, version)?;),
        (true, None | Some(Versions::ALL)) => nullable,
        (true, Some(versions)) => {
            let may_be_null = contains(versions);
            quote! {
                if #may_be_null {
                    #nullable
                } else {
                    let value = self.#ident.as_ref().ok_or_else(::ottla_protocol::EncodeError::null)?;
                    <#ty as ::ottla_protocol::Field>::write(value, w, version)?;
                }
            }
        }
    };
    if field.attr.never_flexible {
        return quote!(let flexible = w.set_flexible(false); #write w.set_flexible(flexible););
    }
    write
}

fn tags(model: &Model) -> TokenStream {
    let tagged = model.tagged();
    let absent = tagged.iter().filter(|(_, f)| !f.attr.ignorable).map(|(_, field)| {
        let text = &field.text;
        let present = contains(field.attr.versions);
        let differs = differs(field);
        quote! { at = #text; if !(w.flexible() && #present) && #differs {
            return Err(::ottla_protocol::EncodeError::unsupported());
        } }
    });
    if model.never_flexible() {
        return quote!(#(#absent)*);
    }
    let unknown = match &model.unknown {
        Some(unknown) => quote!(&self.#unknown),
        None => quote!(&::ottla_protocol::TaggedFields::default()),
    };
    if tagged.is_empty() {
        return quote! { at = "tagged fields"; w.put_unknown_tags(#unknown)?; };
    }
    let wanted: Vec<_> = tagged
        .iter()
        .map(|(_, field)| {
            let present = contains(field.attr.versions);
            let differs = differs(field);
            quote!((#present && #differs))
        })
        .collect();
    let writes = tagged.iter().zip(&wanted).map(|((tag, field), wanted)| {
        let text = &field.text;
        let write = write(field);
        quote! {
            at = #text;
            if #wanted {
                unknown = w.put_unknown_below(unknown, #tag)?;
                w.put_tagged(#tag, |w| { #write Ok(()) })?;
            }
        }
    });
    quote! {
        #(#absent)*
        if w.flexible() {
            at = "tagged fields";
            let unknown = #unknown;
            let known = 0 #(+ usize::from(#wanted))*;
            let mut unknown = w.put_tag_count(known, unknown)?;
            #(#writes)*
            at = "tagged fields";
            w.put_unknown_rest(unknown)?;
        }
    }
}
