//! A producer that sends again what was not acknowledged when the broker was killed: in the end every record is there
//! once, in order, byte for byte.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use ottla_testkit::{ACKS_ALL, BrokerProcess, FetchAt, RawClient, batch, bytes_of};
use tempfile::TempDir;

const RECORD_BYTES: usize = 1024;
const BATCH: usize = 100;
/// What brokers remember of each producer, and hence the most that may be sent again.
const IN_FLIGHT: usize = 5;

/// Sends `records`, kills the broker in the middle of them, restarts it, finishes, and reads everything back.
pub(crate) fn run(records: usize) {
    let home = TempDir::new().expect("a temporary directory");
    let broker = start(home.path());
    let mut client = broker.client();
    let topic_id = client.create_topic("t");
    let producer_id = client.init_producer_id();
    let began = Instant::now();
    let mut producer = Producer { producer_id, records, acknowledged: 0, sent: VecDeque::new(), next: 0 };
    producer.send_until(&mut client, records / 2).expect("it runs");
    producer.fill(&mut client);
    broker.kill();
    // Answers that were on their way.
    while producer.receive(&mut client).is_some() {}
    assert!(producer.acknowledged >= records / 2 && producer.acknowledged < records);

    let broker = start(home.path());
    println!("ready {:?} after the kill at {} records", broker.start_to_ready(), producer.acknowledged);
    assert!(broker.start_to_ready() < Duration::from_secs(1), "{:?}", broker.start_to_ready());
    let mut client = broker.client();
    client.wait_for_topic("t", topic_id, 1);
    producer.start_over();
    producer.send_until(&mut client, records).expect("it runs");
    println!("{records} records in {:?}", began.elapsed());

    read_back(&mut client, records);
    broker.terminate();
    assert_eq!(broker.wait().code, Some(0));
}

fn start(dir: &Path) -> BrokerProcess {
    let settings = [
        "listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0",
        "admin.listener=127.0.0.1:0",
        "log.retention.ms=-1",
    ];
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let binary = Path::new(env!("CARGO_BIN_EXE_ottla-broker"));
    BrokerProcess::start(binary, dir, &arguments, &BTreeMap::new())
        .unwrap_or_else(|exited| panic!("it does not start: {exited:?}"))
}

/// The bytes of record `number`, which differ from those of every other.
fn value(number: usize) -> Vec<u8> {
    let mut state = number as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut bytes = format!("{number:010}").into_bytes();
    while bytes.len() < RECORD_BYTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(RECORD_BYTES);
    bytes
}

struct Producer {
    producer_id: i64,
    records: usize,
    /// Records that were acknowledged: all below.
    acknowledged: usize,
    /// First record and correlation id of the batches in flight.
    sent: VecDeque<(usize, i32)>,
    next: usize,
}

impl Producer {
    /// Sends until so many are acknowledged; `None` if the connection ended before.
    fn send_until(&mut self, client: &mut RawClient, wanted: usize) -> Option<()> {
        while self.acknowledged < wanted {
            self.fill(client);
            self.receive(client)?;
        }
        Some(())
    }

    fn fill(&mut self, client: &mut RawClient) {
        while self.sent.len() < IN_FLIGHT && self.next < self.records {
            let numbers = self.next..(self.next + BATCH).min(self.records);
            let sequence = i32::try_from(self.next).expect("a sequence");
            let records = batch::idempotent(self.producer_id, 0, sequence, numbers.clone().map(value));
            let id = client.send_produce("t", ACKS_ALL, records);
            self.sent.push_back((self.next, id));
            self.next = numbers.end;
        }
    }

    /// Takes the next acknowledgement; `None` if there comes none.
    fn receive(&mut self, client: &mut RawClient) -> Option<()> {
        let (first, id) = *self.sent.front()?;
        let frame = client.read_frame().ok().flatten()?;
        let (found, produced) = ottla_testkit::decode_produced(frame).expect("an answer");
        assert_eq!(found, id);
        assert_eq!((produced.error_code.0, produced.base_offset), (0, first as i64));
        self.sent.pop_front();
        self.acknowledged = (first + BATCH).min(self.records);
        Some(())
    }

    /// What was in flight is sent again, as clients do.
    fn start_over(&mut self) {
        self.sent.clear();
        self.next = self.acknowledged;
    }
}

fn read_back(client: &mut RawClient, records: usize) {
    let mut next = 0;
    while next < records {
        let data = client.fetch(FetchAt { max_wait_ms: 5000, ..FetchAt::new("t", next as i64) });
        assert_eq!(data.error_code.0, 0);
        for record in batch::records_of(&bytes_of(&data)) {
            assert_eq!(record.offset.0, next as i64);
            assert_eq!(record.value.expect("a value"), value(next), "record {next}");
            next += 1;
        }
    }
    assert_eq!(client.list_offset("t", ottla_testkit::LATEST).offset, records as i64, "and nothing twice");
}
