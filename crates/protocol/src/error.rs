//! Why bytes are no message, or a message no bytes.

use std::fmt;

use crate::Version;

/// Why bytes are not the message that they claim to be: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError(Box<DecodeInner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct DecodeInner {
    kind: DecodeErrorKind,
    offset: usize,
    /// Innermost first.
    path: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Field(&'static str),
    Index(usize),
}

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// The bytes end within a value.
    #[error("needs {needed} bytes but {remaining} are left")]
    Truncated {
        /// How many the value takes.
        needed: usize,
        /// How many there are.
        remaining: usize,
    },
    /// A length or count below −1, or −1 where null is not allowed to stand.
    #[error("has the negative length {0}")]
    NegativeLength(i64),
    /// Null where the version does not allow it.
    #[error("is null, which this version does not allow")]
    Null,
    /// More elements than the bytes could hold.
    #[error("claims {count} elements, more than the {remaining} bytes left can hold")]
    Count {
        /// The claim.
        count: usize,
        /// How many bytes there are.
        remaining: usize,
    },
    /// The values would take more memory than a frame of this size is worth.
    #[error("would take more memory than the {limit} bytes that a frame of this size may")]
    Memory {
        /// The budget of the whole frame, bytes.
        limit: usize,
    },
    /// Text that is not UTF-8.
    #[error("is not UTF-8")]
    Utf8,
    /// A variable-length number of more than five bytes.
    #[error("is a variable-length number that does not fit into 32 bits")]
    Varint,
    /// A tagged field whose value is shorter than its length says.
    #[error("tag {tag} declares {declared} bytes but its value takes {used}")]
    TagLength {
        /// The field's number.
        tag: u32,
        /// What it says.
        declared: usize,
        /// What it took.
        used: usize,
    },
    /// Bytes behind the message.
    #[error("is followed by {0} bytes that belong to nothing")]
    Trailing(usize),
    /// A version that the message does not have.
    #[error("has no version {version}; the versions are {first} to {last}")]
    Version {
        /// The version.
        version: Version,
        /// The lowest.
        first: Version,
        /// The highest.
        last: Version,
    },
    /// A record type that Kafka does not have.
    #[error("is of the unknown record type {0}")]
    RecordType(i64),
    /// A metadata record whose frame is newer than this code.
    #[error("has the frame version {0}; only 1 is known")]
    FrameVersion(u32),
}

impl DecodeError {
    #[cold]
    pub(crate) fn new(kind: DecodeErrorKind, offset: usize) -> Self {
        Self(Box::new(DecodeInner { kind, offset, path: Vec::new() }))
    }

    /// What is wrong.
    pub fn kind(&self) -> DecodeErrorKind {
        self.0.kind
    }

    /// How far was read when it showed, bytes from the start of what was decoded: behind a length or count that is at fault.
    pub fn offset(&self) -> usize {
        self.0.offset
    }

    /// The field, such as `topics[3].partitions[0].records`.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for step in self.0.path.iter().rev() {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    /// The error, seen from the struct that has the field. The derive macro calls this.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, field: &'static str) -> Self {
        if !field.is_empty() {
            self.0.path.push(Step::Field(field));
        }
        self
    }

    #[cold]
    pub(crate) fn in_element(mut self, index: usize) -> Self {
        self.0.path.push(Step::Index(index));
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path();
        let what = if path.is_empty() { "the message" } else { &path };
        write!(f, "{what}, at byte {}, {}", self.0.offset, self.0.kind)
    }
}

impl std::error::Error for DecodeError {}

/// Why a message cannot be written in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError(Box<EncodeInner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct EncodeInner {
    kind: EncodeErrorKind,
    /// The innermost struct, its field and the version.
    place: Option<(&'static str, &'static str, Version)>,
}

/// What is wrong with the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeErrorKind {
    /// The field is set and the version lacks it.
    #[error("is set, but the version has no such field")]
    Unsupported,
    /// The field is null and the version does not allow that.
    #[error("is null, which the version does not allow")]
    Null,
    /// Text of over 32,767 bytes, or anything of over 2³¹−1.
    #[error("has {0} bytes or elements, more than the wire can carry")]
    TooLong(usize),
    /// Two tagged fields with one number.
    #[error("has two fields of tag {0}")]
    DuplicateTag(u32),
    /// [`FetchedRecords::External`](crate::FetchedRecords::External) outside of a segmented encoding.
    #[error("stands for records elsewhere; encode the response to segments")]
    External,
    /// A version that the message does not have.
    #[error("has no version {0}")]
    Version(Version),
}

impl EncodeError {
    #[cold]
    pub(crate) fn new(kind: EncodeErrorKind) -> Self {
        Self(Box::new(EncodeInner { kind, place: None }))
    }

    /// A set field that the version lacks. The derive macro calls this.
    #[cold]
    pub fn unsupported() -> Self {
        Self::new(EncodeErrorKind::Unsupported)
    }

    /// A null that the version does not allow. The derive macro calls this.
    #[cold]
    pub fn null() -> Self {
        Self::new(EncodeErrorKind::Null)
    }

    /// What is wrong.
    pub fn kind(&self) -> EncodeErrorKind {
        self.0.kind
    }

    /// The struct and its field, if the fault is in a field.
    pub fn field(&self) -> Option<(&'static str, &'static str)> {
        self.0.place.map(|(message, field, _)| (message, field))
    }

    /// Names the place, unless a part of the message has done so. The derive macro calls this.
    #[cold]
    #[must_use]
    pub fn in_field(mut self, message: &'static str, field: &'static str, version: Version) -> Self {
        self.0.place.get_or_insert((message, field, version));
        self
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.place {
            Some((message, field, version)) => {
                write!(f, "{message}.{field}, in version {version}, {}", self.0.kind)
            }
            None => write!(f, "the message {}", self.0.kind),
        }
    }
}

impl std::error::Error for EncodeError {}
