//! A struct as the emitting modules see it.

use syn::{Data, DeriveInput, Fields, GenericArgument, Ident, PathArguments, Type, ext::IdentExt};

use crate::attrs::{FieldAttr, MessageAttr};

/// An annotated struct.
pub(crate) struct Model {
    pub(crate) name: Ident,
    pub(crate) message: Option<MessageAttr>,
    pub(crate) fields: Vec<Field>,
    /// The field that keeps tagged fields of newer versions.
    pub(crate) unknown: Option<Ident>,
}

/// One field of it that is on the wire.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// Without `r#`.
    pub(crate) text: String,
    /// Within the `Option`, if there is one.
    pub(crate) ty: Type,
    pub(crate) optional: bool,
    pub(crate) attr: FieldAttr,
}

impl Model {
    pub(crate) fn from_input(input: &DeriveInput) -> syn::Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(syn::Error::new_spanned(input, "a message is a struct"));
        };
        let named = match &data.fields {
            Fields::Named(named) => named.named.iter().collect(),
            Fields::Unit => Vec::new(),
            Fields::Unnamed(_) => return Err(syn::Error::new_spanned(input, "fields need names")),
        };
        let mut model = Self {
            name: input.ident.clone(),
            message: MessageAttr::find(&input.attrs)?,
            fields: Vec::new(),
            unknown: None,
        };
        for field in named {
            let Some(ident) = field.ident.clone() else { continue };
            if last_segment(&field.ty).is_some_and(|s| s.ident == "TaggedFields") {
                model.unknown = Some(ident);
                continue;
            }
            let (ty, optional) = strip_option(&field.ty);
            let attr = FieldAttr::parse(&field.attrs)?;
            if attr.nullable.is_some() && !optional {
                return Err(syn::Error::new_spanned(field, "only an Option is nullable"));
            }
            model.fields.push(Field { text: ident.unraw().to_string(), ident, ty, optional, attr });
        }
        Ok(model)
    }

    /// Fields in their place, without tags.
    pub(crate) fn plain(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| f.attr.tag.is_none())
    }

    /// Tagged fields by ascending tag.
    pub(crate) fn tagged(&self) -> Vec<(u32, &Field)> {
        let mut tagged: Vec<_> = self.fields.iter().filter_map(|f| f.attr.tag.map(|tag| (tag, f))).collect();
        tagged.sort_by_key(|(tag, _)| *tag);
        tagged
    }

    /// Whether the struct stands alone and no version of it has tagged fields.
    pub(crate) fn never_flexible(&self) -> bool {
        self.message.as_ref().is_some_and(|m| m.flexible.first > m.flexible.last)
    }
}

pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn strip_option(ty: &Type) -> (Type, bool) {
    if let Some(segment) = last_segment(ty).filter(|s| s.ident == "Option")
        && let PathArguments::AngleBracketed(arguments) = &segment.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return (inner.clone(), true);
    }
    (ty.clone(), false)
}
