//! What each struct says about its wire format, for checks against Kafka's own definitions and for generators.

use std::fmt;

use crate::{ApiKey, Version};

/// An inclusive range of versions; empty when `first > last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionRange {
    /// The lowest.
    pub first: Version,
    /// The highest; `i16::MAX` stands for "and all later".
    pub last: Version,
}

impl VersionRange {
    /// Every version.
    pub const ALL: Self = Self { first: 0, last: Version::MAX };
    /// No version.
    pub const NONE: Self = Self { first: 0, last: -1 };

    /// Whether `version` is in it.
    pub const fn contains(self, version: Version) -> bool {
        self.first <= version && version <= self.last
    }

    /// Whether it holds no version.
    pub const fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// The versions in both.
    pub fn intersect(self, other: Self) -> Self {
        let both = Self { first: self.first.max(other.first), last: self.last.min(other.last) };
        if both.is_empty() { Self::NONE } else { both }
    }
}

/// Kafka's notation: `none`, `3`, `3+`, `0-4`.
impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            _ if self.is_empty() => f.write_str("none"),
            (first, Version::MAX) => write!(f, "{first}+"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

/// What a struct is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Asks.
    Request(ApiKey),
    /// Answers.
    Response(ApiKey),
    /// A record with its type number.
    Record(i16),
    /// Stands alone: headers, group payloads, control records.
    Data,
    /// Occurs within other messages only.
    Part,
}

/// A struct's annotations.
#[derive(Debug, PartialEq, Eq)]
pub struct MessageSchema {
    /// The struct's name.
    pub name: &'static str,
    /// Its role.
    pub kind: MessageKind,
    /// All versions, one that Kafka still changes included. [`VersionRange::ALL`] for parts.
    pub versions: VersionRange,
    /// Versions in compact notation with tagged fields; unknown for parts.
    pub flexible: VersionRange,
    /// In wire order.
    pub fields: &'static [FieldSchema],
}

impl MessageSchema {
    /// The first flexible version; `i16::MAX` if there is none.
    pub const fn flexible_from(&self) -> Version {
        if self.flexible.is_empty() { Version::MAX } else { self.flexible.first }
    }
}

/// A field's annotations.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldSchema {
    /// The field's name, without `r#`.
    pub name: &'static str,
    /// Its type.
    pub ty: FieldType,
    /// Versions that have it.
    pub versions: VersionRange,
    /// Versions in which it may be null.
    pub nullable: VersionRange,
    /// Its tag, if it is a tagged field.
    pub tag: Option<u32>,
    /// The default as annotated: empty for the type's own, `null`, or an expression.
    pub default: &'static str,
    /// Whether a version that lacks the field drops its value silently.
    pub ignorable: bool,
    /// Whether it never takes the compact notation.
    pub never_flexible: bool,
}

impl FieldSchema {
    /// Tags from here on are this platform's own, in messages of Kafka's that only its nodes exchange: Kafka's are counted from 0.
    const FIRST_PRIVATE_TAG: u32 = 10_000;

    /// Whether it is one of this platform's own.
    pub const fn is_private(&self) -> bool {
        matches!(self.tag, Some(tag) if tag >= Self::FIRST_PRIVATE_TAG)
    }
}

/// A field's type on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// One byte, 0 or 1.
    Bool,
    /// One byte, signed.
    Int8,
    /// Two bytes, big endian, as are all numbers.
    Int16,
    /// Two bytes, unsigned.
    Uint16,
    /// Four bytes.
    Int32,
    /// Four bytes, unsigned.
    Uint32,
    /// Eight bytes.
    Int64,
    /// Eight bytes, IEEE 754.
    Float64,
    /// 16 bytes.
    Uuid,
    /// UTF-8 with a length.
    String,
    /// Bytes with a length.
    Bytes,
    /// Record batches with their length in bytes.
    Records,
    /// A count and as many elements.
    Array(&'static Self),
    /// A struct's fields in order.
    Struct(&'static MessageSchema),
}
