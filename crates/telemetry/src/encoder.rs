//! The Prometheus text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::Duration;

use crate::HistogramSnapshot;

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Buckets, sum and count.
    Histogram,
    /// Quantiles.
    Summary,
    /// Unknown to Prometheus: Kafka's families whose quantiles are plain labels.
    Untyped,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}

/// Collects the samples of one scrape. Samples of one family may come from several collectors.
#[derive(Debug, Default)]
pub struct Encoder {
    families: BTreeMap<&'static str, Block>,
}

#[derive(Debug)]
struct Block {
    kind: Kind,
    help: &'static str,
    samples: String,
}

impl Encoder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The family `name`, to add samples to. Kind and help are those of the first call.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        let block = self.families.entry(name).or_insert_with(|| Block { kind, help, samples: String::new() });
        Family { name, samples: &mut block.samples }
    }

    /// A family of one sample without labels.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: impl Display) {
        self.family(name, Kind::Gauge, help).sample(&[], value);
    }

    /// A family of one sample without labels.
    pub fn counter(&mut self, name: &'static str, help: &'static str, value: impl Display) {
        self.family(name, Kind::Counter, help).sample(&[], value);
    }

    /// The text, ordered by name.
    pub fn finish(self) -> String {
        let size = self.families.values().map(|block| block.samples.len() + 160).sum();
        let mut text = String::with_capacity(size);
        for (name, Block { kind, help, samples }) in self.families {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.name());
            text.push_str(&samples);
        }
        text
    }
}

/// Adds samples to one family.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    samples: &'a mut String,
}

impl Family<'_> {
    /// One sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        self.line("", labels, None, value);
        self
    }

    /// The lines of a histogram: how many took at most each of `bounds`, their sum in seconds, their count.
    pub fn histogram(&mut self, labels: &[(&str, &str)], snapshot: &HistogramSnapshot, bounds: &[Duration]) {
        for bound in bounds {
            let le = bound.as_secs_f64().to_string();
            self.line("_bucket", labels, Some(("le", &le)), snapshot.at_most(*bound));
        }
        self.line("_bucket", labels, Some(("le", "+Inf")), snapshot.count());
        self.line("_sum", labels, None, snapshot.sum_seconds());
        self.line("_count", labels, None, snapshot.count());
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &str)],
        extra: Option<(&str, &str)>,
        value: impl Display,
    ) {
        self.samples.push_str(self.name);
        self.samples.push_str(suffix);
        let mut separator = '{';
        for (name, value) in labels.iter().copied().chain(extra) {
            self.samples.push(separator);
            self.samples.push_str(name);
            self.samples.push_str("=\"");
            push_escaped(self.samples, value);
            self.samples.push('"');
            separator = ',';
        }
        if separator == ',' {
            self.samples.push('}');
        }
        let _ = writeln!(self.samples, " {value}");
    }
}

fn push_escaped(text: &mut String, value: &str) {
    for char in value.chars() {
        match char {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Histogram;

    #[test]
    fn families_are_ordered_and_stated_once() {
        let mut encoder = Encoder::new();
        encoder.gauge("b", "second", 2.5);
        encoder
            .family("a_total", Kind::Counter, "first")
            .sample(&[("topic", "x")], 1)
            .sample(&[("topic", "y")], 2);
        encoder.family("a_total", Kind::Counter, "first").sample(&[("topic", "z"), ("partition", "0")], 3);
        let expected = "# HELP a_total first\n# TYPE a_total counter\n\
            a_total{topic=\"x\"} 1\na_total{topic=\"y\"} 2\na_total{topic=\"z\",partition=\"0\"} 3\n\
            # HELP b second\n# TYPE b gauge\nb 2.5\n";
        assert_eq!(encoder.finish(), expected);
    }

    #[test]
    fn label_values_are_escaped() {
        let mut encoder = Encoder::new();
        encoder.family("a", Kind::Gauge, "h").sample(&[("client", "a\"b\\c\nd")], 1);
        assert!(encoder.finish().ends_with("a{client=\"a\\\"b\\\\c\\nd\"} 1\n"));
    }

    #[test]
    fn a_histogram_has_buckets_sum_and_count() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_millis(3));
        let mut encoder = Encoder::new();
        let bounds = [Duration::from_millis(1), Duration::from_millis(5)];
        encoder.family("t_seconds", Kind::Histogram, "h").histogram(
            &[("api", "Fetch")],
            &histogram.snapshot(),
            &bounds,
        );
        let expected = "t_seconds_bucket{api=\"Fetch\",le=\"0.001\"} 0\nt_seconds_bucket{api=\"Fetch\",le=\"0.005\"} 1\n\
            t_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 1\nt_seconds_sum{api=\"Fetch\"} 0.003\nt_seconds_count{api=\"Fetch\"} 1\n";
        assert!(encoder.finish().ends_with(expected));
    }
}
