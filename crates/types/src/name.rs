//! Names of topics, partitions and groups.

use std::borrow::Borrow;
use std::fmt;

use bytestring::ByteString;

use crate::{PartitionIndex, TopicId};

/// The longest topic name, bytes; a partition's folder name must fit in 255 (`Topic.MAX_NAME_LENGTH`).
pub const MAX_NAME_LEN: usize = 249;

/// A consumer, share, streams or connect group's id.
pub type GroupId = ByteString;

/// A topic's name. Any text off the wire; [`TopicName::validate`] tells whether a topic may be created
/// under it. Clones share the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(ByteString);

impl TopicName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a topic may have this name (`org.apache.kafka.common.internals.Topic.validate`).
    pub fn validate(&self) -> Result<(), TopicNameError> {
        let name = self.as_str();
        if name.is_empty() {
            return Err(TopicNameError::Empty);
        }
        if name == "." || name == ".." {
            return Err(TopicNameError::Dots { name: name.to_owned() });
        }
        if name.len() > MAX_NAME_LEN {
            return Err(TopicNameError::TooLong { len: name.len() });
        }
        match name.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))) {
            Some(found) => Err(TopicNameError::Character { name: name.to_owned(), found }),
            None => Ok(()),
        }
    }

    /// Whether `self` and `other` would share metric names, because `.` and `_` are one there.
    pub fn collides_with(&self, other: &Self) -> bool {
        self != other && self.as_str().replace('.', "_") == other.as_str().replace('.', "_")
    }

    /// Topics of the platform itself, which clients may not produce to or delete by default.
    pub fn is_internal(&self) -> bool {
        matches!(self.as_str(), "__consumer_offsets" | "__transaction_state" | "__share_group_state")
    }
}

/// Why no topic can have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// No characters.
    #[error("the topic name is empty; give it 1 to {MAX_NAME_LEN} characters")]
    Empty,
    /// `.` or `..`.
    #[error("the topic name {name:?} would be a directory link; choose another")]
    Dots {
        /// What was given.
        name: String,
    },
    /// Over [`MAX_NAME_LEN`].
    #[error("the topic name has {len} bytes; at most {MAX_NAME_LEN} are allowed")]
    TooLong {
        /// What was given, bytes.
        len: usize,
    },
    /// Outside `[a-zA-Z0-9._-]`.
    #[error(
        "the topic name {name:?} contains {found:?}; only ASCII letters, digits, '.', '_' and '-' are allowed"
    )]
    Character {
        /// What was given.
        name: String,
        /// The first character that is not allowed.
        found: char,
    },
}

impl From<ByteString> for TopicName {
    fn from(name: ByteString) -> Self {
        Self(name)
    }
}

impl From<&str> for TopicName {
    fn from(name: &str) -> Self {
        Self(ByteString::from(name))
    }
}

impl From<String> for TopicName {
    fn from(name: String) -> Self {
        Self(ByteString::from(name))
    }
}

impl From<TopicName> for ByteString {
    fn from(name: TopicName) -> Self {
        name.0
    }
}

impl Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for TopicName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A partition by its topic's name. Its text, `topic-3`, is the folder name on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition's number in it.
    pub partition: PartitionIndex,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<TopicName>, partition: impl Into<PartitionIndex>) -> Self {
        Self { topic: topic.into(), partition: partition.into() }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A partition by its topic's id and name: a topic created anew under an old name is another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicIdPartition {
    /// This creation of the topic.
    pub topic_id: TopicId,
    /// Its name and the partition.
    pub topic_partition: TopicPartition,
}

impl fmt::Display for TopicIdPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.topic_id, self.topic_partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rule() {
        for good in ["a", "A.b_c-9", "__consumer_offsets", &"x".repeat(MAX_NAME_LEN)] {
            assert_eq!(TopicName::from(good).validate(), Ok(()), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "ä", &"x".repeat(MAX_NAME_LEN + 1)] {
            assert!(TopicName::from(bad).validate().is_err(), "{bad}");
        }
    }

    #[test]
    fn dots_and_underscores_collide() {
        assert!(TopicName::from("a.b").collides_with(&"a_b".into()));
        assert!(!TopicName::from("a.b").collides_with(&"a.b".into()));
        assert!(!TopicName::from("a.b").collides_with(&"a-b".into()));
    }
}
