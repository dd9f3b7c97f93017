//! Sizes and durations with a unit, such as `10MiB` and `7d`: an extension to Kafka's syntax.

/// What a key's number counts, told by the end of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// `*.bytes`, `*.buffer.size`, …
    Bytes,
    /// `*.ms`.
    Milliseconds,
    /// `*.seconds`.
    Seconds,
    /// `*.minutes`.
    Minutes,
    /// `*.hours`.
    Hours,
}

impl Unit {
    /// The unit of the key `name`; `None` for plain counts.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".bytes", ".buffer.size", ".receive.size", ".bytes.per.second", ".bytes.between.snapshots"])
        {
            Some(Self::Bytes)
        } else if ends(&[".ms", ".millis"]) {
            Some(Self::Milliseconds)
        } else if ends(&[".seconds", ".secs"]) {
            Some(Self::Seconds)
        } else if name.ends_with(".minutes") {
            Some(Self::Minutes)
        } else if name.ends_with(".hours") {
            Some(Self::Hours)
        } else {
            None
        }
    }

    /// How many milliseconds one is; `None` for bytes.
    pub(crate) const fn milliseconds(self) -> Option<i64> {
        match self {
            Self::Bytes => None,
            Self::Milliseconds => Some(1),
            Self::Seconds => Some(1_000),
            Self::Minutes => Some(60_000),
            Self::Hours => Some(3_600_000),
        }
    }
}

/// `text` (a whole number and a suffix) counted in `unit`; `None` when it is neither, does not come out
/// whole, or does not fit.
pub(crate) fn parse(text: &str, unit: Unit) -> Option<i64> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, suffix) = text.split_at(digits);
    let number: i64 = number.parse().ok()?;
    let suffix = suffix.trim();
    match unit.milliseconds() {
        None => number.checked_mul(bytes_per(suffix)?),
        Some(per_unit) => {
            let total = number.checked_mul(milliseconds_per(suffix)?)?;
            (total % per_unit == 0).then_some(total / per_unit)
        }
    }
}

fn bytes_per(suffix: &str) -> Option<i64> {
    Some(match suffix {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    })
}

fn milliseconds_per(suffix: &str) -> Option<i64> {
    Some(match suffix {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_bytes() {
        assert_eq!(parse("10MiB", Unit::Bytes), Some(10_485_760));
        assert_eq!(parse("1 GB", Unit::Bytes), Some(1_000_000_000));
        assert_eq!(parse("10d", Unit::Bytes), None);
        assert_eq!(parse("MiB", Unit::Bytes), None);
    }

    #[test]
    fn durations_count_in_the_keys_unit() {
        assert_eq!(parse("7d", Unit::Milliseconds), Some(604_800_000));
        assert_eq!(parse("7d", Unit::Hours), Some(168));
        assert_eq!(parse("90s", Unit::Minutes), None, "does not come out whole");
        assert_eq!(parse("9223372036854775807w", Unit::Milliseconds), None, "does not fit");
    }

    #[test]
    fn the_name_tells_the_unit() {
        assert_eq!(Unit::of("retention.ms"), Some(Unit::Milliseconds));
        assert_eq!(Unit::of("log.retention.hours"), Some(Unit::Hours));
        assert_eq!(Unit::of("log.cleaner.dedupe.buffer.size"), Some(Unit::Bytes));
        assert_eq!(Unit::of("group.max.size"), None);
    }
}
