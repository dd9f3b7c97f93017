//! Tagged fields that this version of the code does not know (KIP-482).

use std::sync::Arc;

use bytes::Bytes;

/// One tagged field as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedField {
    /// Its number, unique within its struct.
    pub tag: u32,
    /// Its value.
    pub value: Bytes,
}

/// The tagged fields of one struct that the code does not know, in the order in which they came. Eight bytes when
/// there are none, as every struct has this field and hardly any has a value in it. Encoding sorts them among the known
/// ones, as the wire demands.
// Shared, for to drop what is shared takes the fewest instructions when there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedFields(Option<Arc<Vec<TaggedField>>>);

impl TaggedFields {
    /// The fields.
    pub fn as_slice(&self) -> &[TaggedField] {
        self.0.as_ref().map_or(&[], |fields| fields.as_slice())
    }

    /// Adds a field at the end.
    pub fn push(&mut self, field: TaggedField) {
        Arc::make_mut(self.0.get_or_insert_default()).push(field);
    }
}

impl FromIterator<TaggedField> for TaggedFields {
    fn from_iter<I: IntoIterator<Item = TaggedField>>(fields: I) -> Self {
        let fields: Vec<_> = fields.into_iter().collect();
        Self(if fields.is_empty() { None } else { Some(Arc::new(fields)) })
    }
}
