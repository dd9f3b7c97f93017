//! Reads `#[message(..)]` and `#[field(..)]`.

use proc_macro2::Span;
use syn::{Attribute, Expr, Ident, LitInt, LitStr, Token, ext::IdentExt, meta::ParseNestedMeta};

/// An inclusive range of versions; empty when `first > last`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: i16,
}

impl Versions {
    pub(crate) const ALL: Self = Self { first: 0, last: i16::MAX };
    pub(crate) const NONE: Self = Self { first: 0, last: -1 };

    /// `none`, `3`, `3+` or `0-4`.
    fn parse(text: &LitStr) -> syn::Result<Self> {
        let value = text.value();
        let bad =
            || syn::Error::new(text.span(), "expected versions such as \"none\", \"3\", \"3+\" or \"0-4\"");
        let number = |part: &str| part.parse::<i16>().map_err(|_| bad());
        if value == "none" {
            return Ok(Self::NONE);
        }
        if let Some(first) = value.strip_suffix('+') {
            return Ok(Self { first: number(first)?, last: i16::MAX });
        }
        match value.split_once('-') {
            Some((first, last)) => Ok(Self { first: number(first)?, last: number(last)? }),
            None => number(&value).map(|only| Self { first: only, last: only }),
        }
    }
}

/// What a struct is, from `#[message(..)]`; absent for parts of messages.
pub(crate) struct MessageAttr {
    pub(crate) key: Option<i16>,
    pub(crate) record: Option<i16>,
    pub(crate) versions: Versions,
    pub(crate) flexible: Versions,
    pub(crate) latest_unstable: bool,
}

impl MessageAttr {
    pub(crate) fn find(attrs: &[Attribute]) -> syn::Result<Option<Self>> {
        let Some(attr) = attrs.iter().find(|a| a.path().is_ident("message")) else { return Ok(None) };
        let mut found = Self {
            key: None,
            record: None,
            versions: Versions::NONE,
            flexible: Versions::NONE,
            latest_unstable: false,
        };
        attr.parse_nested_meta(|meta| {
            match name(&meta)?.as_str() {
                "key" => found.key = Some(integer(&meta)?),
                "record" => found.record = Some(integer(&meta)?),
                "versions" => found.versions = versions(&meta)?,
                "flexible" => found.flexible = versions(&meta)?,
                "latest_unstable" => found.latest_unstable = true,
                _ => return Err(meta.error("expected key, record, versions, flexible or latest_unstable")),
            }
            Ok(())
        })?;
        if found.versions == Versions::NONE {
            return Err(syn::Error::new_spanned(attr, "versions = \"..\" is missing"));
        }
        Ok(Some(found))
    }
}

/// What an absent field means.
#[derive(Clone)]
pub(crate) enum DefaultAttr {
    /// The type's own default.
    Own,
    Null,
    Value(Box<Expr>),
}

/// One field's wire rules, from `#[field(..)]`.
pub(crate) struct FieldAttr {
    pub(crate) versions: Versions,
    pub(crate) nullable: Option<Versions>,
    pub(crate) tag: Option<u32>,
    pub(crate) default: DefaultAttr,
    pub(crate) ignorable: bool,
    pub(crate) never_flexible: bool,
}

impl FieldAttr {
    pub(crate) fn parse(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut found = Self {
            versions: Versions::ALL,
            nullable: None,
            tag: None,
            default: DefaultAttr::Own,
            ignorable: false,
            never_flexible: false,
        };
        for attr in attrs.iter().filter(|a| a.path().is_ident("field")) {
            attr.parse_nested_meta(|meta| {
                match name(&meta)?.as_str() {
                    "versions" => found.versions = versions(&meta)?,
                    "nullable" => found.nullable = Some(versions(&meta)?),
                    "tag" => found.tag = Some(integer(&meta)?),
                    "default" => found.default = default(&meta)?,
                    "ignorable" => found.ignorable = true,
                    "flexible" => found.never_flexible = versions(&meta)? == Versions::NONE,
                    _ => {
                        return Err(
                            meta.error("expected versions, nullable, tag, default, ignorable or flexible")
                        );
                    }
                }
                Ok(())
            })?;
        }
        Ok(found)
    }
}

fn name(meta: &ParseNestedMeta<'_>) -> syn::Result<String> {
    meta.path.get_ident().map(Ident::to_string).ok_or_else(|| meta.error("expected a word"))
}

fn versions(meta: &ParseNestedMeta<'_>) -> syn::Result<Versions> {
    Versions::parse(&meta.value()?.parse::<LitStr>()?)
}

fn integer<N>(meta: &ParseNestedMeta<'_>) -> syn::Result<N>
where
    N: std::str::FromStr,
    N::Err: std::fmt::Display,
{
    meta.value()?.parse::<LitInt>()?.base10_parse()
}

fn default(meta: &ParseNestedMeta<'_>) -> syn::Result<DefaultAttr> {
    let value = meta.value()?;
    if value.peek(Ident::peek_any) && value.fork().parse::<Ident>().is_ok_and(|i| i == "null") {
        value.parse::<Ident>()?;
        if !value.is_empty() && !value.peek(Token![,]) {
            return Err(syn::Error::new(Span::call_site(), "expected ',' after null"));
        }
        return Ok(DefaultAttr::Null);
    }
    Ok(DefaultAttr::Value(Box::new(value.parse()?)))
}
