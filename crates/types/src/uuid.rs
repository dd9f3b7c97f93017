//! 128-bit ids in Kafka's notation: URL-safe base64 without padding, 22 characters.

use std::fmt;
use std::str::FromStr;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TEXT_LEN: usize = 22;

/// A 128-bit id as Kafka writes it (`org.apache.kafka.common.Uuid`).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

/// Names one creation of a topic: a topic that is deleted and created again gets a new one (KIP-516).
pub type TopicId = Uuid;
/// Names one log directory or one controller's disk (KIP-858, KIP-853).
pub type DirectoryId = Uuid;

impl Uuid {
    /// All zero bits: "no id" on the wire.
    pub const ZERO: Self = Self([0; 16]);
    /// The id of the metadata topic, `AAAAAAAAAAAAAAAAAAAAAQ`.
    pub const METADATA_TOPIC: Self = Self(1_u128.to_be_bytes());

    /// A random id that Kafka's tools accept: version 4, and its text does not start with `-`
    /// (a command line would take that for an option).
    pub fn random() -> Self {
        Self::from_random_bits(|| *uuid::Uuid::new_v4().as_bytes())
    }

    /// Like [`Uuid::random`], drawing the bits from `bits` until they make a usable id.
    pub fn from_random_bits(mut bits: impl FnMut() -> [u8; 16]) -> Self {
        loop {
            let mut id = bits();
            id[6] = (id[6] & 0x0f) | 0x40;
            id[8] = (id[8] & 0x3f) | 0x80;
            if id[0] >> 2 != 62 {
                return Self(id);
            }
        }
    }

    /// Whether this is "no id".
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        for i in 0..TEXT_LEN {
            // 22 × 6 = 132 bits: the last character carries 2 bits and 4 of padding.
            let shift = 122_i32 - 6 * i as i32;
            let six = if shift >= 0 { bits >> shift } else { bits << -shift } & 0x3f;
            fmt::Write::write_char(f, char::from(ALPHABET[six as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id: expected 22 characters of URL-safe base64, such as {}", Uuid::METADATA_TOPIC)]
pub struct UuidParseError {
    /// What was given.
    pub text: String,
}

impl FromStr for Uuid {
    type Err = UuidParseError;

    fn from_str(text: &str) -> Result<Self, UuidParseError> {
        parse(text).ok_or_else(|| UuidParseError { text: text.chars().take(64).collect() })
    }
}

fn parse(text: &str) -> Option<Uuid> {
    if text.len() != TEXT_LEN {
        return None;
    }
    let mut bits: u128 = 0;
    for (i, c) in text.bytes().enumerate() {
        let six = ALPHABET.iter().position(|&a| a == c)? as u128;
        let shift = 122_i32 - 6 * i as i32;
        bits |= if shift >= 0 { six << shift } else { six >> -shift };
    }
    Some(Uuid(bits.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: u128, text: &str) {
        let id = Uuid(bytes.to_be_bytes());
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
    }

    #[test]
    fn text_is_kafkas() {
        check(0, "AAAAAAAAAAAAAAAAAAAAAA");
        check(1, "AAAAAAAAAAAAAAAAAAAAAQ");
        check(u128::MAX, "_____________________w");
        check(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10, "AQIDBAUGBwgJCgsMDQ4PEA");
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    #[test]
    fn random_ids_do_not_start_with_a_dash() {
        let mut draws = [[0xfb; 16], [0; 16]].into_iter();
        let id = Uuid::from_random_bits(|| draws.next().unwrap());
        assert!(!id.to_string().starts_with('-'));
        assert!(draws.next().is_none(), "the first draw would have started with a dash");
    }
}
