//! rskafka. See ../../README.md for the protocol; the scenarios are those of ../../python/harness.py.

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use chrono::{DateTime, Utc};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Suite {
    client: Client,
    workdir: PathBuf,
    prefix: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: BOOTSTRAP WORKDIR PREFIX CAPABILITY...");
    let (bootstrap, workdir, prefix) = (next()?, PathBuf::from(next()?), next()?);
    let client = ClientBuilder::new(vec![bootstrap]).build().await?;
    let suite = Suite { client, workdir, prefix };
    for capability in arguments {
        let line = match tokio::time::timeout(Duration::from_secs(60), suite.run(&capability)).await {
            Ok(Ok(hash)) => json!({"capability": capability, "ok": true, "hash": hash, "detail": ""}),
            Ok(Err(error)) => failed(&capability, &error.to_string()),
            Err(_) => failed(&capability, "not within 60 s"),
        };
        println!("{line}");
    }
    Ok(())
}

fn failed(capability: &str, detail: &str) -> Value {
    json!({"capability": capability, "ok": false, "hash": null, "detail": detail})
}

impl Suite {
    async fn run(&self, capability: &str) -> Outcome<Value> {
        let round_trip = async |data: &str, codec| {
            let topic = self.topic(capability, 1).await?;
            let records = self.data(data)?;
            let partition = self.partition(&topic).await?;
            partition.produce(records.clone(), codec).await?;
            consume(&partition, records.len()).await
        };
        let hash = match capability {
            "none" => content_hash(&round_trip("text", Compression::NoCompression).await?, false),
            "gzip" => content_hash(&round_trip("text", Compression::Gzip).await?, false),
            "snappy" => content_hash(&round_trip("text", Compression::Snappy).await?, false),
            "lz4" => content_hash(&round_trip("text", Compression::Lz4).await?, false),
            "zstd" => content_hash(&round_trip("text", Compression::Zstd).await?, false),
            "nulls" => content_hash(&round_trip("nulls", Compression::NoCompression).await?, false),
            "timestamps" => content_hash(&round_trip("text", Compression::NoCompression).await?, true),
            "lookup" => return self.lookup().await.map(|()| Value::Null),
            "topics" => return self.topics().await.map(|()| Value::Null),
            "cross" => return self.cross().await,
            other => return Err(format!("unknown capability {other}").into()),
        };
        Ok(Value::String(hash))
    }

    fn data(&self, name: &str) -> Outcome<Vec<Record>> {
        let bytes = |value: &Value| value.as_str().map(|text| base64::prelude::BASE64_STANDARD.decode(text));
        let mut records = Vec::new();
        for line in std::fs::read_to_string(self.workdir.join(format!("{name}.jsonl")))?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let time = row["timestamp"].as_i64().and_then(DateTime::<Utc>::from_timestamp_millis);
            records.push(Record {
                key: bytes(&row["key"]).transpose()?,
                value: bytes(&row["value"]).transpose()?,
                headers: BTreeMap::new(),
                timestamp: time.ok_or("no timestamp")?,
            });
        }
        Ok(records)
    }

    async fn topic(&self, capability: &str, partitions: i32) -> Outcome<String> {
        let topic = format!("{}.{capability}", self.prefix);
        self.client.controller_client()?.create_topic(&topic, partitions, 1, 10_000).await?;
        Ok(topic)
    }

    async fn partition(&self, topic: &str) -> Outcome<Arc<PartitionClient>> {
        Ok(Arc::new(self.client.partition_client(topic, 0, UnknownTopicHandling::Retry).await?))
    }

    async fn lookup(&self) -> Outcome<()> {
        let topic = self.topic("lookup", 1).await?;
        let partition = self.partition(&topic).await?;
        let records = self.data("text")?;
        partition.produce(records.clone(), Compression::NoCompression).await?;
        let millisecond = chrono::Duration::milliseconds(1);
        for (time, wanted) in
            [(records[3].timestamp, 3), (records[3].timestamp + millisecond, 4), (DateTime::UNIX_EPOCH, 0)]
        {
            let found = partition.get_offset(OffsetAt::Timestamp(time)).await?;
            if found != wanted {
                return Err(format!("offset {found} for {time}, not {wanted}").into());
            }
        }
        let after = records[records.len() - 1].timestamp + millisecond;
        match partition.get_offset(OffsetAt::Timestamp(after)).await {
            Ok(found) if found >= 0 => Err(format!("offset {found} for a time after the last record").into()),
            _ => Ok(()), // this client takes the broker's "none" for an error
        }
    }

    /// Create and delete; this client cannot alter a topic.
    async fn topics(&self) -> Outcome<()> {
        let topic = self.topic("topics", 2).await?;
        wait_until("the topic has 2 partitions", async || Ok(self.partition_count(&topic).await? == 2))
            .await?;
        self.client.controller_client()?.delete_topic(&topic, 10_000).await?;
        wait_until("the topic is gone", async || Ok(self.partition_count(&topic).await? == 0)).await
    }

    async fn partition_count(&self, topic: &str) -> Outcome<usize> {
        let topics = self.client.list_topics().await?;
        Ok(topics.iter().find(|found| found.name == topic).map_or(0, |found| found.partitions.len()))
    }

    async fn cross(&self) -> Outcome<Value> {
        let text = std::fs::read_to_string(self.workdir.join(format!("{}.cross.json", self.prefix)))?;
        let rows: Vec<Value> = serde_json::from_str(&text)?;
        let mut hashes = serde_json::Map::new();
        for row in rows {
            let topic = row["topic"].as_str().ok_or("no topic")?;
            let count = usize::try_from(row["count"].as_u64().ok_or("no count")?)?;
            let records = consume(&*self.partition(topic).await?, count).await?;
            hashes.insert(topic.to_owned(), Value::String(content_hash(&records, false)));
        }
        Ok(Value::Object(hashes))
    }
}

async fn consume(partition: &PartitionClient, count: usize) -> Outcome<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    while records.len() < count {
        let (batch, _) = partition.fetch_records(records.len() as i64, 1..10_000_000, 5_000).await?;
        records.extend(batch.into_iter().map(|found| found.record));
    }
    records.truncate(count);
    Ok(records)
}

async fn wait_until<F: Future<Output = Outcome<bool>>>(what: &str, condition: impl Fn() -> F) -> Outcome<()> {
    let deadline = Instant::now() + Duration::from_secs(40);
    while !condition().await? {
        if Instant::now() > deadline {
            return Err(format!("not within 40 s: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// SHA-256 over keys, values, headers and, if wanted, times, in the order given.
fn content_hash(records: &[Record], timestamps: bool) -> String {
    let hex = |data: &[u8]| data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = |data: &Option<Vec<u8>>| data.as_ref().map_or_else(|| "-".to_owned(), |data| hex(data));
    let mut hash = Sha256::new();
    for record in records {
        if timestamps {
            hash.update(format!("{}|", record.timestamp.timestamp_millis()));
        }
        let headers: Vec<_> =
            record.headers.iter().map(|(name, value)| format!("{name}={}", hex(value))).collect();
        hash.update(format!("{}|{}|{}\n", text(&record.key), text(&record.value), headers.join(",")));
    }
    hex(&hash.finalize())
}
