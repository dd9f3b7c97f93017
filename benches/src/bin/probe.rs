//! End-to-end latency at a fixed rate: the schedule does not wait for the broker, so a stall counts for every record that
//! was due while it lasted (no coordinated omission).
//!
//! ```text
//!  every millisecond: the records due ─▶ one batch to the next partition ─▶ broker ─▶ long-polling consumer
//!         each carries the time it was due ───────────────────────────────────────▶ now − due
//! ```
//!
//! With `--cold` another connection reads that topic from its start meanwhile, and the measurement ends with it.

use std::error::Error;
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use hdrhistogram::Histogram;
use ottla_benches::call::{answer, call, topic_id};
use ottla_benches::{frames, process};
use ottla_protocol::frame::decode_response;
use ottla_protocol::messages::{FetchResponse, ProduceResponse};
use ottla_protocol::{FetchedRecords, Uuid};
use ottla_records::{BatchBuilder, batches};
use serde_json::{Value, json};

#[derive(Parser)]
struct Arguments {
    /// The broker
    #[arg(long)]
    bootstrap: String,
    /// Its process, whose processor time is measured
    #[arg(long)]
    pid: u32,
    #[arg(long, default_value = "probe")]
    topic: String,
    #[arg(long, default_value_t = 8)]
    partitions: i32,
    /// Bytes of a record's value, at least 8
    #[arg(long, default_value_t = 1000)]
    record: usize,
    /// MB of values a second
    #[arg(long, default_value_t = 50.0)]
    rate: f64,
    #[arg(long, default_value_t = -1, allow_hyphen_values = true)]
    acks: i16,
    /// Seconds that are measured
    #[arg(long, default_value_t = 20.0)]
    seconds: f64,
    /// Seconds before them
    #[arg(long, default_value_t = 5.0)]
    warm_up: f64,
    /// A topic that is read from its start meanwhile
    #[arg(long)]
    cold: Option<String>,
}

/// Records due in one go.
const TICK: Duration = Duration::from_millis(1);
const FETCH_BYTES: i32 = 4 << 20;
const AHEAD: Duration = Duration::from_millis(50);

/// What is measured: records that were due in the window, whenever they come.
struct Measured {
    /// Nanoseconds since `epoch` at which the window begins and ends; 0 if that is not known yet.
    begin: AtomicU64,
    end: AtomicU64,
    epoch: Instant,
    /// Records that were due in the window, and how many of them came.
    due: AtomicU64,
    came: AtomicU64,
    /// Nobody waits for more.
    ended: AtomicBool,
    end_to_end: Mutex<Histogram<u64>>,
    acknowledged: Mutex<Histogram<u64>>,
    /// How late the schedule itself was, which is this program's fault or the machine's.
    late: Mutex<Histogram<u64>>,
}

impl Measured {
    fn nanos(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.epoch).as_nanos() as u64
    }

    /// Whether something that is due then counts.
    fn counts(&self, due: Instant) -> bool {
        let (begin, end) = (self.begin.load(Ordering::SeqCst), self.end.load(Ordering::SeqCst));
        let due = self.nanos(due);
        begin != 0 && due >= begin && (end == 0 || due < end)
    }

    /// Whether something that is due then comes after the window.
    fn is_over(&self, due: Instant) -> bool {
        let end = self.end.load(Ordering::SeqCst);
        end != 0 && self.nanos(due) >= end
    }

    /// Sets an end of the window, a little ahead, so that all threads know of it when it comes.
    fn set(&self, bound: &AtomicU64) -> Instant {
        let at = Instant::now() + AHEAD;
        bound.store(self.nanos(at), Ordering::SeqCst);
        at
    }

    fn record(&self, histogram: &Mutex<Histogram<u64>>, due: Instant, now: Instant) -> bool {
        let counts = self.counts(due);
        if counts && let Ok(mut histogram) = histogram.lock() {
            let latency = now.saturating_duration_since(due).as_micros();
            histogram.saturating_record(u64::try_from(latency).unwrap_or(u64::MAX));
        }
        counts
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arc::new(Arguments::parse());
    let id = topic_id(&arguments.bootstrap, &arguments.topic, arguments.partitions)?;
    // Up to a minute, which is how long the last records are waited for.
    let histogram = || Histogram::new_with_bounds(1, 60_000_000, 3).map(Mutex::new);
    let epoch = Instant::now();
    let measured = Arc::new(Measured {
        begin: AtomicU64::new(0),
        end: AtomicU64::new(0),
        epoch,
        due: AtomicU64::new(0),
        came: AtomicU64::new(0),
        ended: AtomicBool::new(false),
        end_to_end: histogram()?,
        acknowledged: histogram()?,
        late: histogram()?,
    });
    let starts = ends(&arguments.bootstrap, id, arguments.partitions)?;
    let consumer = {
        let (arguments, measured) = (Arc::clone(&arguments), Arc::clone(&measured));
        thread::spawn(move || consume(&arguments, id, starts, &measured).map_err(|e| e.to_string()))
    };
    let producer = {
        let (arguments, measured) = (Arc::clone(&arguments), Arc::clone(&measured));
        thread::spawn(move || produce(&arguments, &measured).map_err(|e| e.to_string()))
    };
    thread::sleep(Duration::from_secs_f64(arguments.warm_up));
    let cpu = process::cpu_seconds(arguments.pid)?;
    let begin = measured.set(&measured.begin);
    let cold = match &arguments.cold {
        Some(topic) => Some(drain(&arguments.bootstrap, topic)?),
        None => {
            thread::sleep(Duration::from_secs_f64(arguments.seconds));
            None
        }
    };
    let end = measured.set(&measured.end);
    let elapsed = end.saturating_duration_since(begin).as_secs_f64();
    let cpu = process::cpu_seconds(arguments.pid)? - cpu;
    // The producer stops by itself. Whatever was due has to come, however late.
    producer.join().map_err(|_| "the producer panicked")??;
    let patience = Instant::now() + Duration::from_secs(60);
    let is_missing = || measured.came.load(Ordering::SeqCst) < measured.due.load(Ordering::SeqCst);
    while is_missing() && !consumer.is_finished() {
        if Instant::now() > patience {
            return Err("records that were due did not come within a minute".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    measured.ended.store(true, Ordering::SeqCst);
    consumer.join().map_err(|_| "the consumer panicked")??;
    let consumed = measured.end_to_end.lock().map_err(|_| "poisoned")?.len();
    let result = json!({
        "seconds": elapsed,
        "mb_per_s": consumed as f64 * arguments.record as f64 / 1e6 / elapsed,
        "end_to_end_us": quantiles(&measured.end_to_end),
        "acknowledged_us": quantiles(&measured.acknowledged),
        "schedule_late_us": quantiles(&measured.late),
        "broker_cores": cpu / elapsed,
        "resident_mib": process::resident_mib(arguments.pid)?,
        "cold_mb_per_s": cold.map(|bytes| bytes as f64 / 1e6 / elapsed),
    });
    println!("{result}");
    Ok(())
}

fn quantiles(histogram: &Mutex<Histogram<u64>>) -> Value {
    let Ok(histogram) = histogram.lock() else { return Value::Null };
    let at = |quantile| histogram.value_at_quantile(quantile);
    json!({"p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "p9999": at(0.9999), "max": histogram.max()})
}

/// Sends on schedule, whatever the answers.
fn produce(arguments: &Arguments, measured: &Arc<Measured>) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(&arguments.bootstrap)?;
    stream.set_nodelay(true)?;
    let (on_the_way, sent) = mpsc::channel::<Instant>();
    let mut answers = stream.try_clone()?;
    let reader = {
        let measured = Arc::clone(measured);
        thread::spawn(move || acknowledge(&mut answers, &sent, &measured).map_err(|e| e.to_string()))
    };
    let per_tick = (arguments.rate * 1e6 / arguments.record as f64 * TICK.as_secs_f64()).max(1.0) as u32;
    let interval = TICK / per_tick;
    let mut value = vec![b'v'; arguments.record.max(8)];
    let mut due = Instant::now() + TICK;
    for partition in (0..arguments.partitions).cycle() {
        if measured.is_over(due - TICK) {
            break;
        }
        if let Some(early) = due.checked_duration_since(Instant::now()) {
            thread::sleep(early);
        }
        measured.record(&measured.late, due, Instant::now());
        let mut builder = BatchBuilder::new();
        for record in 0..per_tick {
            // The records of a tick were due one after the other within it.
            let its_due = due - TICK + interval * (record + 1);
            value[..8].copy_from_slice(&measured.nanos(its_due).to_be_bytes());
            measured.due.fetch_add(u64::from(measured.counts(its_due)), Ordering::SeqCst);
            builder.append(frames::now_ms(), None, Some(&value), &[])?;
        }
        let batch =
            frames::Batch { uncompressed: builder.size(), bytes: builder.build()?, records: per_tick };
        let request = frames::produce(&arguments.topic, partition, &batch, arguments.acks)?;
        on_the_way.send(due)?;
        stream.write_all(&request)?;
        due += TICK;
    }
    drop(on_the_way);
    reader.join().map_err(|_| "the reader of acknowledgements panicked")??;
    Ok(())
}

/// Reads the answers to Produce requests.
fn acknowledge(
    stream: &mut TcpStream,
    sent: &mpsc::Receiver<Instant>,
    measured: &Measured,
) -> Result<(), Box<dyn Error>> {
    for due in sent {
        let (_, response) = decode_response::<ProduceResponse>(answer(stream)?, frames::PRODUCE)?;
        let error = response.responses[0].partition_responses[0].error_code;
        if error.is_error() {
            return Err(format!("a Produce request was answered {error}").into());
        }
        measured.record(&measured.acknowledged, due, Instant::now());
    }
    Ok(())
}

/// Follows all partitions from `next` on.
fn consume(
    arguments: &Arguments,
    topic: Uuid,
    mut next: Vec<i64>,
    measured: &Measured,
) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect(&arguments.bootstrap)?;
    stream.set_nodelay(true)?;
    while !measured.ended.load(Ordering::SeqCst) {
        let answer = call(&mut stream, &frames::fetch_all(topic, &next, FETCH_BYTES)?)?;
        let (_, response) = decode_response::<FetchResponse>(answer, frames::FETCH)?;
        let now = Instant::now();
        for partition in response.responses.iter().flat_map(|topic| &topic.partitions) {
            if partition.error_code.is_error() {
                return Err(format!("a Fetch request was answered {}", partition.error_code).into());
            }
            let Some(FetchedRecords::Bytes(records)) = &partition.records else { continue };
            for batch in batches(records) {
                let batch = batch?;
                for record in batch.records(usize::MAX)?.views() {
                    let record = record?;
                    let stamp =
                        record.value.and_then(|value| value.first_chunk()).ok_or("no time in a record")?;
                    let due = measured.epoch + Duration::from_nanos(u64::from_be_bytes(*stamp));
                    if measured.record(&measured.end_to_end, due, now) {
                        measured.came.fetch_add(1, Ordering::SeqCst);
                    }
                }
                next[usize::try_from(partition.partition_index)?] = batch.next_offset().0;
            }
        }
    }
    Ok(())
}

/// Where each partition ends.
fn ends(bootstrap: &str, topic: Uuid, partitions: i32) -> Result<Vec<i64>, Box<dyn Error>> {
    let mut stream = TcpStream::connect(bootstrap)?;
    let mut ends = Vec::new();
    for partition in 0..partitions {
        // A broker may know of a new topic before it leads all of its partitions.
        ends.push(loop {
            let answer = call(&mut stream, &frames::fetch(topic, partition, 0, 1)?)?;
            let (_, response) = decode_response::<FetchResponse>(answer, frames::FETCH)?;
            match response.responses.first().and_then(|topic| topic.partitions.first()) {
                Some(partition) if !partition.error_code.is_error() => break partition.high_watermark,
                _ => thread::sleep(Duration::from_millis(1)),
            }
        });
    }
    Ok(ends)
}

/// Reads a topic from its start to its end, and gives its bytes.
fn drain(bootstrap: &str, topic: &str) -> Result<u64, Box<dyn Error>> {
    let id = topic_id(bootstrap, topic, 1)?;
    let mut stream = TcpStream::connect(bootstrap)?;
    let (mut next, mut total) = (0, 0);
    loop {
        let answer = call(&mut stream, &frames::fetch(id, 0, next, FETCH_BYTES)?)?;
        let (_, response) = decode_response::<FetchResponse>(answer, frames::FETCH)?;
        let partition = &response.responses.first().ok_or("no partition")?.partitions[0];
        let Some(FetchedRecords::Bytes(records)) = &partition.records else { break };
        let last = batches(records).last().transpose()?;
        let Some(last) = last else { break };
        total += records.len() as u64;
        next = last.next_offset().0;
        if next >= partition.high_watermark {
            break;
        }
    }
    Ok(total)
}
