//! Emits Kafka's default values.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attrs::DefaultAttr;
use crate::model::{Field, Model};

/// `impl Default`.
pub(crate) fn implementation(model: &Model) -> TokenStream {
    let name = &model.name;
    let idents = model.fields.iter().map(|f| &f.ident);
    let values = model.fields.iter().map(value);
    let unknown = model.unknown.iter();
    quote! {
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self {
                    #(#idents: #values,)*
                    #(#unknown: ::core::default::Default::default(),)*
                }
            }
        }
    }
}

/// One field's default, as an expression.
pub(crate) fn value(field: &Field) -> TokenStream {
    let ty = &field.ty;
    let plain = match &field.attr.default {
        DefaultAttr::Null => return quote!(::core::option::Option::None),
        DefaultAttr::Value(value) => quote!(#value),
        DefaultAttr::Own => quote!(<#ty as ::core::default::Default>::default()),
    };
    if field.optional { quote!(::core::option::Option::Some(#plain)) } else { plain }
}
