//! Sends the same Produce or Fetch requests to any broker from a fraction of a core, and measures: requests and bytes per
//! second, latencies, and the processor time of the broker's process for each GB.
//!
//! Requests are encoded once. Of the answers only lengths and error codes are looked at; fetched bytes are dropped inside
//! the kernel.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use ottla_benches::call::{call, topic_id};
use ottla_benches::{frames, process};
use ottla_protocol::Uuid;
use ottla_protocol::frame::{decode_response, strip_length};
use ottla_protocol::messages::{FetchResponse, ProduceResponse};
use rustix::net::RecvFlags;
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    mode: Mode,
    /// The broker
    #[arg(long)]
    bootstrap: String,
    /// Its process, whose processor time is measured
    #[arg(long)]
    pid: u32,
    /// The peer is a speed-of-light program: it has no topics and no error codes
    #[arg(long)]
    raw: bool,
    #[arg(long, default_value = "replay")]
    topic: String,
    #[arg(long, default_value_t = 8)]
    partitions: i32,
    /// Bytes of a record's value
    #[arg(long, default_value_t = 1000)]
    record: usize,
    /// Bytes of a batch, or of a fetch
    #[arg(long, default_value_t = 65536)]
    batch: usize,
    #[arg(long, default_value_t = 1)]
    connections: usize,
    #[arg(long, default_value = "none")]
    codec: String,
    /// MB/s of all connections together; as much as goes if it is not given
    #[arg(long)]
    rate: Option<f64>,
    /// Requests that one connection has on the way
    #[arg(long, default_value_t = 5)]
    in_flight: usize,
    #[arg(long, default_value_t = -1, allow_hyphen_values = true)]
    acks: i16,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Seconds before them
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Mode {
    Produce,
    Fetch,
}

struct Connection {
    stream: TcpStream,
    /// When each request on the way was handed to the socket.
    sent: VecDeque<Instant>,
    /// The request being sent, and how many of its bytes have left.
    sending: Option<(Bytes, usize)>,
    next: usize,
    head: Vec<u8>,
    /// Bytes of the answer that are still to come, once its length is known.
    body_left: usize,
}

/// Bytes of an answer that are looked at: length, correlation id, and all of a Produce response.
const HEAD: usize = 256;

struct Totals {
    requests: u64,
    received: u64,
    latencies: Histogram<u64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let batch = frames::batch(arguments.record, arguments.batch, &arguments.codec)?;
    let requests = requests(&arguments, &batch)?;
    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for token in 0..arguments.connections {
        let stream = std::net::TcpStream::connect(&arguments.bootstrap)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        connections.push(Connection {
            stream,
            sent: VecDeque::new(),
            sending: None,
            // Connections start at different partitions.
            next: token,
            head: Vec::new(),
            body_left: 0,
        });
    }
    let mut totals = Totals { requests: 0, received: 0, latencies: Histogram::new(3)? };
    run(&arguments, arguments.warm_up, &requests, &mut poll, &mut connections, &mut totals)?;
    totals = Totals { requests: 0, received: 0, latencies: Histogram::new(3)? };
    let (cpu, own_cpu) = (process::cpu_seconds(arguments.pid)?, process::cpu_seconds(std::process::id())?);
    let switches = process::context_switches(arguments.pid)?;
    let start = Instant::now();
    run(&arguments, arguments.seconds, &requests, &mut poll, &mut connections, &mut totals)?;
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = process::cpu_seconds(arguments.pid)? - cpu;
    let own_cpu = process::cpu_seconds(std::process::id())? - own_cpu;
    let switches = process::context_switches(arguments.pid)?.saturating_sub(switches);
    let (bytes, records) = match arguments.mode {
        Mode::Produce => {
            (totals.requests * batch.uncompressed as u64, totals.requests * u64::from(batch.records))
        }
        Mode::Fetch => (totals.received, totals.received / (arguments.record as u64 + 10)),
    };
    let gb = bytes as f64 / 1e9;
    let quantile = |q| totals.latencies.value_at_quantile(q);
    let result = json!({
        "requests": totals.requests,
        "requests_per_s": totals.requests as f64 / elapsed,
        "records_per_s": records as f64 / elapsed,
        "mb_per_s": gb * 1e3 / elapsed,
        "cpu_s_per_gb": cpu / gb,
        "cpu_us_per_request": cpu * 1e6 / totals.requests as f64,
        "switches_per_request": switches as f64 / totals.requests as f64,
        "broker_cores": cpu / elapsed,
        "replay_cores": own_cpu / elapsed,
        "p50_us": quantile(0.5),
        "p99_us": quantile(0.99),
        "p999_us": quantile(0.999),
        "max_us": totals.latencies.max(),
        "resident_mib": process::resident_mib(arguments.pid)?,
    });
    println!("{result}");
    Ok(())
}

/// The requests, to be sent in turn.
fn requests(arguments: &Arguments, batch: &frames::Batch) -> Result<Vec<Bytes>, Box<dyn Error>> {
    let partitions = 0..arguments.partitions;
    let topic = &arguments.topic;
    let topic_id = if arguments.raw {
        Uuid::default()
    } else {
        topic_id(&arguments.bootstrap, topic, arguments.partitions)?
    };
    let requests: Result<Vec<_>, _> = match arguments.mode {
        Mode::Produce => {
            partitions.map(|partition| frames::produce(topic, partition, batch, arguments.acks)).collect()
        }
        Mode::Fetch => {
            let max_bytes = i32::try_from(arguments.batch)?;
            partitions.map(|partition| frames::fetch(topic_id, partition, 0, max_bytes)).collect()
        }
    };
    let requests = requests?;
    if !arguments.raw {
        // A broker may know of a new topic before it leads all of its partitions.
        requests.iter().try_for_each(|request| check_one(arguments, request))?;
    }
    Ok(requests)
}

/// One request, until the broker answers it without an error.
fn check_one(arguments: &Arguments, request: &Bytes) -> Result<(), Box<dyn Error>> {
    let mut stream = std::net::TcpStream::connect(&arguments.bootstrap)?;
    let mut error = String::new();
    for _ in 0..2000 {
        let answer = call(&mut stream, request)?;
        let code = match arguments.mode {
            Mode::Produce => {
                let (_, response) = decode_response::<ProduceResponse>(answer, frames::PRODUCE)?;
                response.responses[0].partition_responses[0].error_code
            }
            Mode::Fetch => {
                let (_, response) = decode_response::<FetchResponse>(answer, frames::FETCH)?;
                response.responses.first().map_or(response.error_code, |topic| topic.partitions[0].error_code)
            }
        };
        if code.is_none() {
            return Ok(());
        }
        error = code.to_string();
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("{} answers {error}", arguments.bootstrap).into())
}

/// Keeps every connection full for that long, and then waits for the answers that are still on the way.
fn run(
    arguments: &Arguments,
    seconds: f64,
    requests: &[Bytes],
    poll: &mut Poll,
    connections: &mut [Connection],
    totals: &mut Totals,
) -> Result<(), Box<dyn Error>> {
    let mut pace = Pace::new(arguments.rate, seconds);
    let mut events = Events::with_capacity(256);
    for connection in connections.iter_mut() {
        connection.send(arguments, requests, &mut pace)?;
    }
    // With a rate, whose turn it is to send once more may be sent.
    let mut turn = 0;
    let mut silent = Instant::now();
    let is_busy = |connection: &Connection| !connection.sent.is_empty() || connection.sending.is_some();
    while connections.iter().any(is_busy) || pace.goes_on() {
        let wait = if arguments.rate.is_some() { Duration::from_millis(1) } else { Duration::from_secs(30) };
        poll.poll(&mut events, Some(wait))?;
        for event in &events {
            silent = Instant::now();
            let connection = &mut connections[event.token().0];
            connection.receive(arguments, totals)?;
            if arguments.rate.is_none() || connection.sending.is_some() {
                connection.send(arguments, requests, &mut pace)?;
            }
        }
        if silent.elapsed() > Duration::from_secs(30) {
            return Err("no answer within 30 s".into());
        }
        if arguments.rate.is_some() {
            for _ in 0..connections.len() {
                if !pace.allows() {
                    break;
                }
                turn = (turn + 1) % connections.len();
                connections[turn].send(arguments, requests, &mut pace)?;
            }
        }
    }
    Ok(())
}

/// When to send, and when to end.
struct Pace {
    start: Instant,
    end: Instant,
    /// Bytes a second.
    rate: Option<f64>,
    sent: u64,
}

impl Pace {
    fn new(rate: Option<f64>, seconds: f64) -> Self {
        let start = Instant::now();
        let end = start + Duration::from_secs_f64(seconds);
        Self { start, end, rate: rate.map(|rate| rate * 1e6), sent: 0 }
    }

    fn goes_on(&self) -> bool {
        self.rate.is_some() && Instant::now() < self.end
    }

    fn allows(&self) -> bool {
        let in_time =
            self.rate.is_none_or(|rate| self.sent as f64 <= rate * self.start.elapsed().as_secs_f64());
        in_time && Instant::now() < self.end
    }
}

impl Connection {
    /// Fills the connection, unless it is over.
    fn send(&mut self, arguments: &Arguments, requests: &[Bytes], pace: &mut Pace) -> io::Result<()> {
        loop {
            if let Some((request, at)) = &mut self.sending {
                match self.stream.write(&request[*at..]) {
                    Ok(count) => *at += count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
                if *at < request.len() {
                    continue;
                }
                self.sending = None;
            }
            if self.sent.len() >= arguments.in_flight || !pace.allows() {
                return Ok(());
            }
            let request = requests[self.next % requests.len()].clone();
            pace.sent += request.len() as u64;
            self.sending = Some((request, 0));
            self.next += 1;
            self.sent.push_back(Instant::now());
        }
    }

    /// Takes what has come.
    fn receive(&mut self, arguments: &Arguments, totals: &mut Totals) -> Result<(), Box<dyn Error>> {
        let mut buffer = [0_u8; HEAD];
        loop {
            // The head with its length first; the rest is dropped where it is.
            let (wanted, flags) = match self.body_left {
                0 => (4 - self.head.len(), RecvFlags::empty()),
                left if self.head.len() < HEAD => (left.min(HEAD - self.head.len()), RecvFlags::empty()),
                _ => (0, RecvFlags::TRUNC),
            };
            let received = if flags.is_empty() {
                rustix::net::recv(&self.stream, &mut buffer[..wanted], flags).map(|(count, _)| count)
            } else {
                let mut dropped = DROPPED.with_borrow_mut(std::mem::take);
                dropped.resize(dropped.len().max(1 << 20), 0);
                let most = self.body_left.min(dropped.len());
                let received = rustix::net::recv(&self.stream, &mut dropped[..most], flags);
                DROPPED.set(dropped);
                received.map(|(_, count)| count)
            };
            let count = match received {
                Ok(0) => return Err("the broker closed the connection".into()),
                Ok(count) => count,
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if wanted > 0 {
                self.head.extend(&buffer[..count]);
            }
            match self.body_left {
                0 => {
                    if let Some(len) = self.head.first_chunk() {
                        self.body_left = u32::from_be_bytes(*len) as usize;
                    }
                    continue;
                }
                _ => self.body_left -= count,
            }
            totals.received += count as u64;
            if self.body_left == 0 {
                self.answered(arguments, totals)?;
            }
        }
    }

    fn answered(&mut self, arguments: &Arguments, totals: &mut Totals) -> Result<(), Box<dyn Error>> {
        let head = std::mem::take(&mut self.head);
        if let Some(sent) = self.sent.pop_front() {
            totals.latencies.record(sent.elapsed().as_micros() as u64)?;
        }
        totals.requests += 1;
        // A Produce response is short enough to be looked at each time.
        if !arguments.raw && arguments.mode == Mode::Produce {
            let answer = strip_length(Bytes::from(head));
            let (_, response) = decode_response::<ProduceResponse>(answer, frames::PRODUCE)?;
            let error = response.responses[0].partition_responses[0].error_code;
            if error.is_error() {
                return Err(format!("a Produce request was answered {error}").into());
            }
        }
        Ok(())
    }
}

thread_local! {
    /// Where the kernel would put what is dropped.
    static DROPPED: std::cell::RefCell<Vec<u8>> = const { std::cell::RefCell::new(Vec::new()) };
}
