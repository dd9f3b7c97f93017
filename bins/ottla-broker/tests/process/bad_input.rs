//! Hostile peers against a real process: its memory stays where it was, and others are served.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use ottla_testkit::batch::{self, Codec};
use ottla_testkit::{ACKS_ALL, RawClient};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::Home;

const MIB: u64 = 1 << 20;
const ALLOWED_GROWTH: u64 = 64 * MIB;
const CONNECTIONS: usize = 1000;

/// Lets this process have as many files as the system allows; children inherit it.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(4096, |maximum| maximum.min(4096));
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum })
            .expect("a limit");
    }
}

/// A request header: key, version, correlation id 1, no client id.
fn header(key: i16, version: i16) -> Vec<u8> {
    [&key.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 1, 0xff, 0xff]].concat()
}

fn hostile_frames() -> Vec<Vec<u8>> {
    let huge = i32::MAX.to_be_bytes();
    let huge_varint = [0x80, 0x80, 0x80, 0x80, 0x08];
    vec![
        vec![],
        vec![0, 3, 0],
        header(9999, 0),
        header(3, 99),
        [&header(3, 1)[..], &huge].concat(),
        [&header(3, 9)[..], &[0], &huge_varint].concat(),
        [&header(3, 9)[..], &[0, 1, 0, 0], &huge_varint].concat(),
        [&header(3, 9)[..], &[0, 1, 0, 0, 1, 9], &huge_varint].concat(),
        [&header(2, 1)[..], &[0xff; 4], &huge].concat(),
        [&header(42, 0)[..], &huge].concat(),
        [&header(1, 4)[..], &[0xff; 4], &[0; 13], &huge].concat(),
        [&header(0, 3)[..], &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], &huge].concat(),
        // Many elements that each take few bytes on the wire and many in memory.
        [&header(3, 1)[..], &100_000i32.to_be_bytes(), &[0; 200_000]].concat(),
        [&header(19, 2)[..], &60_000i32.to_be_bytes(), &[0; 900_000]].concat(),
        [&header(1, 4)[..], &[0xff; 4], &[0; 13], &100_000i32.to_be_bytes(), &[0; 600_000]].concat(),
    ]
}

#[test]
fn hostile_peers_do_not_make_it_grow() {
    raise_file_limit();
    let home = Home::new()
        .set("record.validation=full")
        .set("record.decompressed.max.bytes=1048576")
        .set("message.max.bytes=20000000")
        .set("auto.create.topics.enable=false");
    let process = home.start();
    let address = process.listener("PLAINTEXT");
    let mut other = process.client();
    other.create_topic("t");
    for _ in 0..50 {
        other.produce("t", batch::one("before"));
    }
    let before = process.resident_bytes();
    let mut peak = before;
    let mut next = 50;
    let mut step = |what: &str, act: &mut dyn FnMut()| {
        act();
        let now = process.resident_bytes();
        peak = peak.max(now);
        assert!(now < before + ALLOWED_GROWTH, "{what}: from {} to {} MiB", before / MIB, now / MIB);
        let (offset, took) = other.timed(|other| other.produce("t", batch::one("others are served")));
        assert_eq!(offset, next, "{what}");
        assert!(took < Duration::from_secs(5), "{what}: {took:?}");
        next += 1;
    };
    step("frames", &mut || {
        for frame in hostile_frames() {
            for _ in 0..5 {
                let mut client = RawClient::connect(address);
                client.send_frame(&frame);
                client.finish_sending();
                client.wait_closed();
            }
        }
    });
    step("lengths", &mut || {
        for length in [-1, i32::MIN, i32::MAX, 104_857_601] {
            for _ in 0..50 {
                let mut client = RawClient::connect(address);
                client.send_bytes(&length.to_be_bytes());
                client.send_bytes(&[0; 1000]);
                client.wait_closed();
            }
        }
    });
    let mut halves = Vec::new();
    step("frames that promise 100 MB each and never come", &mut || {
        for _ in 0..200 {
            let mut client = RawClient::connect(address);
            client.send_bytes(&100_000_000i32.to_be_bytes());
            client.send_bytes(&header(0, 9));
            halves.push(client);
        }
    });
    step("random bytes", &mut || {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        for _ in 0..500 {
            let bytes: Vec<u8> = (0..700)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state as u8
                })
                .collect();
            if let Ok(mut stream) = TcpStream::connect(address) {
                // It may be closed already.
                let _ = stream.write_all(&bytes);
            }
        }
    });
    step("bombs", &mut || {
        let mut client = RawClient::connect(address);
        for codec in [Codec::Gzip, Codec::Lz4, Codec::Zstd, Codec::Snappy] {
            let bomb = batch::compressed(codec, ["0".repeat(200 << 20)]);
            for _ in 0..3 {
                let produced = client.try_produce("t", 0, ACKS_ALL, bomb.clone());
                assert_ne!(produced.error_code.0, 0, "{codec:?}");
            }
        }
    });
    let mut idle = Vec::new();
    step("idle connections", &mut || {
        idle.extend((0..CONNECTIONS).map(|_| TcpStream::connect(address).expect("a connection")));
        // All of them are accepted when the last one is.
        let mut last = RawClient::connect(address);
        last.list_offset("t", ottla_testkit::LATEST);
    });
    drop((halves, idle));
    step("after all", &mut || {});
    println!("resident: {} MiB before, {} MiB at most", before / MIB, peak / MIB);
    let stderr = process.kill().stderr;
    assert!(stderr.contains("closed connection"), "the reason is logged: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
}

/// Peers that ask and never read: what they were not sent yet holds back what they may ask for next.
#[test]
fn peers_that_do_not_read_do_not_make_it_grow() {
    raise_file_limit();
    let home = Home::new();
    let process = home.start();
    let address = process.listener("PLAINTEXT");
    let mut other = process.client();
    other.create_topic("t");
    for _ in 0..20 {
        other.produce("t", batch::values(["x".repeat(1_000_000)]));
    }
    let before = process.resident_bytes();
    let fetch = {
        let request = ottla_testkit::FetchAt::new("t", 0).to_request();
        ottla_testkit::encode_frame(11, &request)
    };
    let mut deaf = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_nonblocking(true).expect("a socket");
        // As much as the broker takes.
        for _ in 0..2000 {
            if stream.write_all(&fetch).is_err() {
                break;
            }
        }
        deaf.push(stream);
    }
    for offset in 20..60 {
        let (at, took) = other.timed(|other| other.produce("t", batch::one("others are served")));
        assert_eq!(at, offset);
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    let now = process.resident_bytes();
    assert!(now < before + ALLOWED_GROWTH, "from {} to {} MiB", before / MIB, now / MIB);
    println!("resident: {} MiB before, {} MiB with 100 deaf peers", before / MIB, now / MIB);
}
