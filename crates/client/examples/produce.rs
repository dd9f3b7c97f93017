//! Sends some records and prints where they are.
//!
//! ```text
//! cargo run -p ottla-client --example produce -- --bootstrap-server 127.0.0.1:9092 --topic greetings --count 10
//! ```
#![expect(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::HashMap;

use ottla_client::{Client, ProducerConfig, ProducerRecord};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = arguments();
    let arg = |name: &str, default: &str| args.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let topic = arg("--topic", "greetings");
    let count: u64 = arg("--count", "10").parse()?;
    let config = ProducerConfig {
        compression: arg("--compression", "none").parse::<ottla_client::Codec>()?.into(),
        ..Default::default()
    };

    let client = Client::connect(&arg("--bootstrap-server", "127.0.0.1:9092")).await?;
    let producer = client.producer(config)?;
    let mut deliveries = Vec::new();
    for i in 0..count {
        let record = ProducerRecord::new(topic.as_str())
            .key(format!("key-{i}"))
            .value(format!("hello {i}"))
            .header("example", "produce");
        deliveries.push(producer.send(record).await?);
    }
    for delivery in deliveries {
        let written = delivery.acknowledged().await?;
        println!("{} at offset {}", written.partition, written.offset.map_or(-1, |o| o.0));
    }
    producer.close().await?;
    Ok(())
}

/// `--name value` pairs.
fn arguments() -> HashMap<String, String> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    args.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}
