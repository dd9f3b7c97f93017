//! What is in a partition, and how two differ.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::kafka::{Kafka, PARTITION, TOPIC};
use crate::Failure;

/// Lines by what they are about.
#[derive(Default)]
pub(super) struct View {
    lines: BTreeMap<String, Vec<String>>,
}

/// What was compared.
pub(super) struct Row {
    pub(super) what: String,
    pub(super) input: usize,
    pub(super) kafka: usize,
    pub(super) ottla: usize,
    /// An example of what only one of them has.
    pub(super) difference: Option<String>,
}

/// What must be the same. How segments are cut is not compared.
const SAME: [&str; 5] = ["record", "marker", "batch", "producer", "aborted"];

impl View {
    /// Of a partition's files, as Kafka's classes read them.
    pub(super) fn of_files(kafka: &Kafka, data: &Path, scratch: &Path) -> Result<Self, Failure> {
        let arguments = ["files".into(), text(&data.join(PARTITION)), text(scratch)];
        kafka.figures("Visible", &arguments)?;
        Self::read(scratch, "")
    }

    /// Adds what Kafka's consumer gets from Kafka's broker with these files.
    pub(super) fn consume(&mut self, kafka: &Kafka, bootstrap: &str, scratch: &Path) -> Result<(), Failure> {
        for isolation in ["read_uncommitted", "read_committed"] {
            let arguments = [
                "consumer".into(),
                bootstrap.to_owned(),
                TOPIC.to_owned(),
                isolation.to_owned(),
                text(scratch),
            ];
            kafka.figures("Visible", &arguments)?;
            self.lines.extend(Self::read(scratch, &format!("{isolation}: "))?.lines);
        }
        Ok(())
    }

    fn read(path: &Path, prefix: &str) -> Result<Self, Failure> {
        let mut view = Self::default();
        for line in BufReader::new(File::open(path)?).lines() {
            let line = line?;
            let (kind, rest) = line.split_once(' ').unwrap_or_default();
            view.lines.entry(format!("{prefix}{kind}")).or_default().push(rest.to_owned());
        }
        fs::remove_file(path)?;
        view.lines.values_mut().for_each(|lines| lines.sort_unstable());
        Ok(view)
    }

    pub(super) fn of(&self, kind: &str) -> &[String] {
        self.lines.get(kind).map_or(&[], Vec::as_slice)
    }

    /// How many records have no value.
    pub(super) fn tombstones(&self) -> usize {
        self.of("record").iter().filter(|line| line.split(' ').nth(3) == Some("null")).count()
    }
}

/// Compares what Kafka and Ottla have left of `input`.
pub(super) fn compare(input: &View, kafka: &View, ottla: &View) -> Vec<Row> {
    let consumed = kafka.lines.keys().filter(|kind| kind.contains(':')).map(String::as_str);
    let mut rows: Vec<Row> = SAME
        .into_iter()
        .chain(consumed)
        .map(|kind| Row {
            what: kind.to_owned(),
            input: input.of(kind).len(),
            kafka: kafka.of(kind).len(),
            ottla: ottla.of(kind).len(),
            difference: difference(kafka.of(kind), ottla.of(kind)),
        })
        .collect();
    rows.push(Row {
        what: "tombstones among records".to_owned(),
        input: input.tombstones(),
        kafka: kafka.tombstones(),
        ottla: ottla.tombstones(),
        difference: None,
    });
    rows.push(empties(input, kafka, ottla));
    rows.push(Row {
        what: "segments".to_owned(),
        input: input.of("segment").len(),
        kafka: kafka.of("segment").len(),
        ottla: ottla.of("segment").len(),
        difference: None,
    });
    rows
}

/// Ottla has all of Kafka's empty batches, and at most one more at the end of each segment.
fn empties(input: &View, kafka: &View, ottla: &View) -> Row {
    let (theirs, ours) = (kafka.of("empty"), ottla.of("empty"));
    let missing = theirs.iter().find(|line| ours.binary_search(line).is_err());
    let too_many = ours.len() > theirs.len() + ottla.of("segment").len();
    Row {
        what: "empty batches".to_owned(),
        input: input.of("empty").len(),
        kafka: theirs.len(),
        ottla: ours.len(),
        difference: missing
            .map(|line| format!("only Kafka: {line}"))
            .or_else(|| too_many.then(|| "Ottla has more than one for each segment".to_owned())),
    }
}

fn difference(kafka: &[String], ottla: &[String]) -> Option<String> {
    let only = |these: &[String], others: &[String]| {
        these.iter().find(|line| others.binary_search(line).is_err()).cloned()
    };
    let kafkas = only(kafka, ottla).map(|line| format!("only Kafka: {line}"));
    let ottlas = || only(ottla, kafka).map(|line| format!("only Ottla: {line}"));
    kafkas.or_else(ottlas).or_else(|| (kafka.len() != ottla.len()).then(|| "one has it twice".to_owned()))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
