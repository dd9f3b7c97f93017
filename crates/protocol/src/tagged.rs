//! Tagged fields that this version of the code does not know (KIP-482).

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
/// there are none. Encoding sorts them among the known ones, as the wire demands.
#[expect(clippy::box_collection, reason = "every struct has this field and hardly any has a value in it")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedFields(Option<Box<Vec<TaggedField>>>);

impl TaggedFields {
    /// The fields.
    pub fn as_slice(&self) -> &[TaggedField] {
        self.0.as_ref().map_or(&[], |fields| fields.as_slice())
    }

    /// Adds a field at the end.
    pub fn push(&mut self, field: TaggedField) {
        self.0.get_or_insert_default().push(field);
    }
}

impl FromIterator<TaggedField> for TaggedFields {
    fn from_iter<I: IntoIterator<Item = TaggedField>>(fields: I) -> Self {
        let fields: Vec<_> = fields.into_iter().collect();
        Self(if fields.is_empty() { None } else { Some(Box::new(fields)) })
    }
}
