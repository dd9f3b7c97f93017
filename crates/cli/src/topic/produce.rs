//! `ottla topic produce`

use std::collections::VecDeque;
use std::io::BufRead;

use ottla_client::{Acks, Codec, Delivery, ProducerConfig, ProducerRecord, RecordMetadata};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::args::{Context, key_value};
use crate::error::{CliError, Result};

/// Lines that may wait between standard input and the producer.
const LINES: usize = 1024;
/// Records that may be on their way before the oldest one is waited for.
const UNDELIVERED: usize = 10_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
    /// What parts a line into key and value; without it a line is a value
    #[arg(long, short = 'k', value_name = "TEXT")]
    key_separator: Option<String>,
    /// Send to this partition, whatever the key
    #[arg(long, short)]
    partition: Option<i32>,
    /// A header for every record; may be repeated
    #[arg(long = "header", short = 'H', value_name = "KEY=VALUE", value_parser = key_value)]
    headers: Vec<(String, String)>,
    /// Send this value as null, which deletes its key on a compacted topic
    #[arg(long, value_name = "TEXT")]
    null: Option<String>,
    /// none, gzip, snappy, lz4 or zstd
    #[arg(long, short = 'z', default_value = "none")]
    compression: Codec,
    /// When a record counts as written: all, 1 or 0
    #[arg(long, default_value = "all", value_parser = acks)]
    acks: Acks,
    /// Print where each record is
    #[arg(long)]
    offsets: bool,
}

#[derive(Serialize)]
struct Written {
    partition: i32,
    offset: Option<i64>,
    timestamp: i64,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<()> {
    let client = context.client().await?;
    // Says that a topic does not exist before it waits for input.
    client.admin().describe_topic(args.topic.as_str()).await?;
    let config =
        ProducerConfig { compression: args.compression.into(), acks: args.acks, ..ProducerConfig::default() };
    let producer = client.producer(config)?;
    let mut lines = lines();
    let mut undelivered = VecDeque::new();
    let mut tally = Tally::default();
    while let Some(line) = lines.recv().await {
        let line = line.map_err(CliError::Input)?;
        undelivered.push_back(producer.send(args.record(&line)?).await?);
        if undelivered.len() > UNDELIVERED
            && let Some(oldest) = undelivered.pop_front()
        {
            tally.count(context, &args, oldest).await?;
        }
    }
    // Sends what lingers; failures come with each delivery.
    let _ = producer.flush().await;
    for delivery in undelivered {
        tally.count(context, &args, delivery).await?;
    }
    let noun = if tally.written == 1 { "record" } else { "records" };
    context.out.note(&format!("{} {noun} written to {}", tally.written, args.topic));
    match tally.failed {
        0 => Ok(()),
        failed => Err(CliError::Partial { failed, total: failed + tally.written, what: "records" }),
    }
}

impl Args {
    fn record(&self, line: &[u8]) -> Result<ProducerRecord> {
        let mut record = ProducerRecord::new(self.topic.as_str());
        record.partition = self.partition.map(Into::into);
        let mut value = line;
        if let Some(separator) = &self.key_separator {
            let Some(at) = find(line, separator.as_bytes()) else {
                let line = String::from_utf8_lossy(line).into_owned();
                let message = format!(
                    "the line {line:?} has no key separator {separator:?}; add it or drop --key-separator"
                );
                return Err(CliError::Usage(message));
            };
            let (key, rest) = line.split_at(at);
            record = record.key(key.to_vec());
            value = rest.get(separator.len()..).unwrap_or_default();
        }
        if self.null.as_ref().is_none_or(|null| null.as_bytes() != value) {
            record = record.value(value.to_vec());
        }
        for (key, value) in &self.headers {
            record = record.header(key.clone(), value.clone());
        }
        Ok(record)
    }
}

#[derive(Default)]
struct Tally {
    written: u64,
    failed: u64,
}

impl Tally {
    async fn count(&mut self, context: &mut Context, args: &Args, delivery: Delivery) -> Result<()> {
        match delivery.acknowledged().await {
            Ok(written) => {
                self.written += 1;
                if args.offsets { show(context, &written) } else { Ok(()) }
            }
            Err(e) => {
                self.failed += 1;
                // The rest usually fails for the same reason.
                if self.failed == 1 {
                    context.out.note(&format!("error: {e}"));
                }
                Ok(())
            }
        }
    }
}

fn show(context: &mut Context, written: &RecordMetadata) -> Result<()> {
    let row = Written {
        partition: written.partition.partition.0,
        offset: written.offset.map(|o| o.0),
        timestamp: written.timestamp,
    };
    if context.out.is_json() {
        return context.out.json_line(&row);
    }
    let offset = row.offset.map_or_else(|| "unknown".to_owned(), |o| o.to_string());
    context.out.line(format!("partition {} offset {offset}", row.partition).as_bytes())
}

/// The lines of standard input, read aside because that blocks.
fn lines() -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map(|mut l| {
                l.pop_if(|last| *last == b'\r');
                l
            });
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn find(line: &[u8], separator: &[u8]) -> Option<usize> {
    if separator.is_empty() {
        return None;
    }
    line.windows(separator.len()).position(|w| w == separator)
}

fn acks(text: &str) -> Result<Acks, String> {
    match text {
        "all" | "-1" => Ok(Acks::All),
        "1" => Ok(Acks::Leader),
        "0" => Ok(Acks::None),
        _ => Err("expected all, 1 or 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(separator: Option<&str>, null: Option<&str>, line: &str) -> Result<ProducerRecord> {
        let args = Args {
            topic: "t".into(),
            key_separator: separator.map(Into::into),
            partition: None,
            headers: Vec::new(),
            null: null.map(Into::into),
            compression: Codec::None,
            acks: Acks::All,
            offsets: false,
        };
        args.record(line.as_bytes())
    }

    #[test]
    fn lines_become_records() {
        let new = || ProducerRecord::new("t");
        assert_eq!(record(None, None, "a:b").unwrap(), new().value("a:b"));
        assert_eq!(record(Some(":"), None, "a:b:c").unwrap(), new().key("a").value("b:c"));
        assert_eq!(record(Some("::"), None, "a::").unwrap(), new().key("a").value(""));
        assert_eq!(record(Some(":"), Some("NULL"), "a:NULL").unwrap(), new().key("a"));
        assert!(record(Some(":"), None, "ab").unwrap_err().to_string().contains("no key separator"));
    }
}
