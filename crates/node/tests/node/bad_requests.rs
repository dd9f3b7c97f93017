//! Requests that are none: a closed connection, and nobody else notices.

use std::io::Write;
use std::net::TcpStream;

use ottla_protocol::ErrorCode;
use ottla_protocol::messages::metadata::MetadataRequest;
use ottla_testkit::{NodeSpec, RawClient, TestNode, batch};

/// A request header: key, version, correlation id 1, no client id.
fn header(key: i16, version: i16) -> Vec<u8> {
    [&key.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 1, 0xff, 0xff]].concat()
}

/// Numbers that look random and are the same in every run (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// That others are served as if nothing had happened.
struct Bystander {
    client: RawClient,
    next: i64,
}

impl Bystander {
    fn new(node: &TestNode) -> Self {
        let mut client = node.client();
        client.create_topic("bystander");
        Self { client, next: 0 }
    }

    fn is_served(&mut self) {
        assert_eq!(self.client.produce("bystander", batch::one("v")), self.next);
        self.next += 1;
        assert_eq!(self.client.list_offset("bystander", ottla_testkit::LATEST).offset, self.next);
    }
}

#[test]
fn frames_that_are_no_requests_close_the_connection() {
    let node = TestNode::start();
    let mut other = Bystander::new(&node);
    let far_too_many = 0x7fff_ffffi32.to_be_bytes();
    // A compact count of 2^31, and a tag of that size.
    let varint = [0x80, 0x80, 0x80, 0x80, 0x08];
    let flexible = |key, version, body: &[u8]| [&header(key, version)[..], &[0], body].concat();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("half a header", vec![0, 3, 0]),
        ("no client id", vec![0, 3, 0, 0, 0, 0, 0, 1]),
        ("client id of −2", [&header(3, 0)[..8], &[0xff, 0xfe]].concat()),
        ("client id longer than the frame", [&header(3, 0)[..8], &[0x7f, 0xff, b'x']].concat()),
        ("an API that nobody knows", header(9999, 0)),
        ("a negative API", header(-1, 0)),
        ("a version that nobody knows", header(3, 99)),
        ("a negative version", header(3, -1)),
        ("Produce 2", header(0, 2)),
        ("an empty body", header(0, 9)),
        ("2^31 topics", [&header(3, 1)[..], &far_too_many].concat()),
        ("−2 topics", [&header(3, 1)[..], &(-2i32).to_be_bytes()].concat()),
        ("2^31 topics, compact", flexible(3, 9, &varint)),
        (
            "2^31 partitions",
            [&header(2, 1)[..], &[0xff; 4], &[0, 0, 0, 1, 0, 1, b't'], &far_too_many].concat(),
        ),
        ("2^31 tagged fields", flexible(3, 9, &[&[0, 1, 0, 0][..], &varint].concat())),
        ("a tagged field of 2 GiB", flexible(3, 9, &[&[0, 1, 0, 0, 1, 9][..], &varint].concat())),
        ("tagged fields in the header that never end", [&header(3, 9)[..], &varint].concat()),
        ("a varint that never ends", flexible(3, 9, &[0xff; 12])),
        (
            "records of 2 GiB",
            [
                &header(0, 3)[..],
                &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 0],
                &far_too_many,
            ]
            .concat(),
        ),
        ("a name that is no UTF-8", [&header(3, 1)[..], &[0, 0, 0, 1, 0, 2, 0xff, 0xfe]].concat()),
        ("a null where there is none", [&header(11, 0)[..], &[0xff, 0xff]].concat()),
        ("strings without end", [&header(42, 0)[..], &[0, 0, 0xff, 0xff]].concat()),
    ];
    for (what, frame) in cases {
        let mut client = node.client();
        client.send_frame(&frame);
        println!("{what}");
        assert_eq!(client.wait_closed(), b"", "{what}");
        other.is_served();
    }
}

#[test]
fn bytes_behind_a_request_are_ignored() {
    let node = TestNode::start();
    let mut client = node.client();
    client.send_frame(&[&header(3, 1)[..], &[0, 0, 0, 0, 1, 2, 3]].concat());
    assert!(client.read_frame().unwrap().is_some(), "librdkafka sends such");
}

#[test]
fn lengths_that_cannot_be_close_the_connection() {
    let node = NodeSpec::new().set("socket.request.max.bytes", "2000000").start();
    let mut other = Bystander::new(&node);
    for length in [-1, i32::MIN, i32::MAX, 2_000_001, 0x4854_5450] {
        let mut client = node.client();
        client.send_bytes(&length.to_be_bytes());
        assert_eq!(client.wait_closed(), b"", "{length}");
        other.is_served();
    }
}

#[test]
fn other_protocols_are_turned_away() {
    let node = TestNode::start();
    let http = &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..];
    let tls = &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..];
    for bytes in [http, tls, &b"SSH-2.0-x\r\n"[..]] {
        let mut client = node.client();
        client.send_bytes(bytes);
        client.send_bytes(&[0; 2000]);
        client.wait_closed();
    }
    Bystander::new(&node).is_served();
}

#[test]
fn cut_frames_are_no_requests() {
    let node = TestNode::start();
    let mut other = Bystander::new(&node);
    let whole = {
        let request = ottla_testkit::produce_request("bystander", 0, -1, batch::values(["x".repeat(3000)]));
        let header = ottla_protocol::messages::RequestHeader::of::<
            ottla_protocol::messages::produce::ProduceRequest,
        >(9, 1, None);
        ottla_protocol::frame::encode_request(&header, &request).unwrap()
    };
    for cut in (0..whole.len()).step_by(97).chain([1, 2, 3, 4, 5, whole.len() - 1]) {
        let mut client = node.client();
        client.send_bytes(&whole[..cut]);
        client.finish_sending();
        assert_eq!(client.wait_closed(), b"", "cut at {cut}");
    }
    // The same bytes with a length that is true of them.
    for cut in (8..whole.len()).step_by(61) {
        let mut client = node.client();
        client.send_frame(&whole[4..cut]);
        assert_eq!(client.wait_closed(), b"", "cut at {cut}");
    }
    other.is_served();
    assert_eq!(other.client.read_values("bystander", 0).len(), 1, "nothing of it was appended");
}

#[test]
fn random_bytes_harm_nobody() {
    let node = TestNode::start();
    let mut other = Bystander::new(&node);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for round in 0..400 {
        let mut stream = TcpStream::connect(node.address()).unwrap();
        let len = (noise.next() % 600) as usize;
        let mut bytes = noise.bytes(len);
        if round % 2 == 0 {
            // A true length, a known API and a likely version before the noise.
            let (key, version) = (noise.next() % 76, noise.next() % 14);
            let head = header(key as i16, version as i16);
            bytes.splice(0..0, head);
            bytes.splice(0..0, (bytes.len() as u32).to_be_bytes());
        }
        // The broker may have closed already.
        let _ = stream.write_all(&bytes);
        drop(stream);
        if round % 40 == 0 {
            other.is_served();
        }
    }
    other.is_served();
}

/// Valid requests with some bytes changed: most decode, and none may do harm.
#[test]
fn damaged_requests_harm_nobody() {
    let node = TestNode::start();
    let mut other = Bystander::new(&node);
    let mut noise = Noise(42);
    let request = ottla_testkit::FetchAt::new("bystander", 0).to_request();
    let header = ottla_protocol::messages::RequestHeader::of::<ottla_protocol::messages::fetch::FetchRequest>(
        12, 1, None,
    );
    let whole = ottla_protocol::frame::encode_request(&header, &request).unwrap();
    for round in 0..400 {
        let mut bytes = whole.to_vec();
        for _ in 0..=noise.next() % 3 {
            let at = 4 + (noise.next() as usize) % (bytes.len() - 4);
            bytes[at] = noise.next() as u8;
        }
        let mut client = node.client();
        client.send_bytes(&bytes);
        drop(client);
        if round % 40 == 0 {
            other.is_served();
        }
    }
    other.is_served();
}

#[test]
fn idle_connections_cost_others_nothing() {
    let node = TestNode::start();
    let mut other = Bystander::new(&node);
    let idle: Vec<TcpStream> = (0..400).map(|_| TcpStream::connect(node.address()).unwrap()).collect();
    // And some that have sent the half of something.
    let halves: Vec<RawClient> = (0..100)
        .map(|_| {
            let mut client = node.client();
            client.send_bytes(&[0, 1, 0, 0, 0, 3]);
            client
        })
        .collect();
    for _ in 0..10 {
        other.is_served();
    }
    drop((idle, halves));
    other.is_served();
}

#[test]
fn idle_connections_are_closed_after_their_time() {
    let node = NodeSpec::new().set("connections.max.idle.ms", "100").start();
    let client = node.client();
    client.wait_closed();
}

#[test]
fn connections_are_limited() {
    let node = NodeSpec::new().set("max.connections.per.ip", "3").start();
    let mut kept: Vec<RawClient> = (0..3).map(|_| node.client()).collect();
    for client in &mut kept {
        assert_eq!(client.call(1, &MetadataRequest::default()).error_code, ErrorCode::NONE);
    }
    node.client().wait_closed();
    drop(kept.pop());
    ottla_testkit::eventually("no place was freed", || {
        node.client().try_call(1, &MetadataRequest::default()).ok()
    });
}
