//! Places in a log as users write them.

use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ottla_client::{Offset, OffsetSpec, TimestampMs};

/// `start`, `end`, an offset, `-1h` (so long ago), or `@1700000000000` (a time in ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Start,
    End,
    Offset(i64),
    Ago(Duration),
    Time(TimestampMs),
}

impl Place {
    /// The offset, or how to look it up.
    pub(crate) fn resolve(self) -> Result<Offset, OffsetSpec> {
        match self {
            Self::Start => Err(OffsetSpec::Earliest),
            Self::End => Err(OffsetSpec::Latest),
            Self::Offset(offset) => Ok(Offset(offset)),
            Self::Ago(ago) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let then = now.saturating_sub(ago).as_millis();
                Err(OffsetSpec::At(TimestampMs::try_from(then).unwrap_or(TimestampMs::MAX)))
            }
            Self::Time(timestamp) => Err(OffsetSpec::At(timestamp)),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = match text {
            "start" | "earliest" | "beginning" => Some(Self::Start),
            "end" | "latest" => Some(Self::End),
            _ => match (text.strip_prefix('-'), text.strip_prefix('@')) {
                (Some(ago), _) => duration(ago).map(Self::Ago),
                (_, Some(time)) => time.parse().ok().filter(|t| *t >= 0).map(Self::Time),
                _ => text.parse().ok().filter(|o| *o >= 0).map(Self::Offset),
            },
        };
        parsed.ok_or_else(|| {
            "expected start, end, an offset such as 1200, a time ago such as -90s, -15m, -1h or -2d, or @ and milliseconds since 1970".to_owned()
        })
    }
}

/// A number and its unit: ms, s, m, h, d.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(ms).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let hour = Duration::from_secs(3600);
        for (text, expected) in [
            ("start", Some(Place::Start)),
            ("end", Some(Place::End)),
            ("0", Some(Place::Offset(0))),
            ("1200", Some(Place::Offset(1200))),
            ("-1h", Some(Place::Ago(hour))),
            ("-2d", Some(Place::Ago(48 * hour))),
            ("-250ms", Some(Place::Ago(Duration::from_millis(250)))),
            ("@1700000000000", Some(Place::Time(1_700_000_000_000))),
            ("-5", None),
            ("-h", None),
            ("@x", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }
}
