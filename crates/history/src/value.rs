//! What a record is recognised by.

use std::fmt;
use std::str::FromStr;

/// The value of a record: who wrote it, and its number there. Unique in a run.
///
/// As text `writer:number`; what follows another `:` makes it longer, and is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub u32, pub u64);

impl Value {
    /// Stands for bytes that nobody sent.
    pub const UNKNOWN: Self = Self(u32::MAX, u64::MAX);

    /// The value that a record's bytes say.
    pub fn of(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).unwrap_or(Self::UNKNOWN)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

/// Text that is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoValue;

impl FromStr for Value {
    type Err = NoValue;

    fn from_str(text: &str) -> Result<Self, NoValue> {
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next().ok_or(NoValue)?.parse::<u64>().map_err(|_| NoValue);
        let (writer, number) = (number()?, number()?);
        Ok(Self(u32::try_from(writer).map_err(|_| NoValue)?, number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        assert_eq!(Value::of(Value(7, 1 << 40).to_string().as_bytes()), Value(7, 1 << 40));
        assert_eq!(Value::of(b"3:4:and more: of it"), Value(3, 4));
        for bad in ["", "7", "7:", ":7", "7:x", "4294967296:1"] {
            assert_eq!(Value::of(bad.as_bytes()), Value::UNKNOWN, "{bad}");
        }
    }
}
