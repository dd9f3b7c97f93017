//! Prints the records of a topic as they come.
//!
//! ```text
//! cargo run -p ottla-client --example consume -- --bootstrap-server 127.0.0.1:9092 --topic greetings --group readers --count 10
//! ```
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::HashMap;
use std::time::Duration;

use ottla_client::{Bytes, Client, ConsumerConfig, OffsetReset};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = arguments();
    let arg = |name: &str, default: &str| args.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let count: u64 = arg("--count", "10").parse()?;
    let config = ConsumerConfig {
        auto_offset_reset: OffsetReset::Earliest,
        ..ConsumerConfig::group(arg("--group", "readers"))
    };

    let client = Client::connect(&arg("--bootstrap-server", "127.0.0.1:9092")).await?;
    let mut consumer = client.consumer(config)?;
    consumer.subscribe([arg("--topic", "greetings").as_str()])?;
    let mut seen = 0;
    while seen < count {
        for record in consumer.poll(Duration::from_secs(1)).await? {
            let place = (record.topic_partition(), record.offset);
            println!("{} at offset {}: {} = {}", place.0, place.1, text(&record.key), text(&record.value));
            seen += 1;
        }
    }
    consumer.close().await?;
    Ok(())
}

fn text(bytes: &Option<Bytes>) -> String {
    bytes.as_deref().map_or_else(|| "null".to_owned(), |b| String::from_utf8_lossy(b).into_owned())
}

/// `--name value` pairs.
fn arguments() -> HashMap<String, String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    args.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}
