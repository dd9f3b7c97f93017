//! Log lines as Kafka writes them: `[2026-11-22 12:00:00,123] INFO message (module)`.

use std::fmt::{self, Debug, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Formats events; times are UTC.
#[derive(Debug)]
pub(crate) struct KafkaFormat {
    /// Begins each line.
    pub(crate) prefix: String,
}

impl<S, N> FormatEvent<S, N> for KafkaFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        out.write_str(&self.prefix)?;
        write_line(&mut out, SystemTime::now(), event)
    }
}

fn write_line(out: &mut dyn Write, now: SystemTime, event: &Event<'_>) -> fmt::Result {
    let metadata = event.metadata();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    write_time(out, since.as_secs(), since.subsec_millis())?;
    write!(out, " {} ", metadata.level())?;
    let mut fields = Fields { out, result: Ok(()), first: true };
    event.record(&mut fields);
    fields.result?;
    writeln!(out, " ({})", metadata.target())
}

/// The message, then other fields as `name=value`. A peer's text cannot start a line of its own.
struct Fields<'a> {
    out: &'a mut dyn Write,
    result: fmt::Result,
    first: bool,
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let space = if std::mem::take(&mut self.first) { "" } else { " " };
        let name = field.name();
        let mut one_line = OneLine(&mut *self.out);
        let written = match name {
            "message" => write!(one_line, "{space}{value:?}"),
            _ => write!(one_line, "{space}{name}={value:?}"),
        };
        self.result = self.result.and(written);
    }
}

struct OneLine<'a>(&'a mut dyn Write);

impl Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                self.0.write_str("\\n")?;
            }
            self.0.write_str(part)?;
        }
        Ok(())
    }
}

fn write_time(out: &mut dyn Write, unix_seconds: u64, millis: u32) -> fmt::Result {
    let (days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(out, "[{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{millis:03}]")
}

/// Year, month and day of a day since 1970-01-01. Counts in years that begin in March, so that the leap day is
/// the last one, within eras of 400 years, after which the Gregorian calendar repeats.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(unix_seconds: u64) -> String {
        let mut text = String::new();
        write_time(&mut text, unix_seconds, 7).unwrap();
        text
    }

    #[test]
    fn times_are_kafkas() {
        assert_eq!(time(0), "[1970-01-01 00:00:00,007]");
        assert_eq!(time(951_782_399), "[2000-02-28 23:59:59,007]");
        assert_eq!(time(951_782_400), "[2000-02-29 00:00:00,007]");
        assert_eq!(time(1_795_348_800), "[2026-11-22 12:00:00,007]");
        assert_eq!(time(4_107_542_400), "[2100-03-01 00:00:00,007]");
    }

    #[test]
    fn text_from_a_peer_stays_in_its_line() {
        let mut text = String::new();
        OneLine(&mut text).write_str("a\n[forged]\n").unwrap();
        assert_eq!(text, "a\\n[forged]\\n");
    }
}
