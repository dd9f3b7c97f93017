//! What a request costs in allocations: bounds that do not depend on the machine.

use std::alloc::System;
use std::io::{self, Read, Write};
use std::net::TcpStream;

use ottla_testkit::{
    ACKS_ALL, ACKS_LEADER, FetchAt, NodeSpec, TestNode, TopicSpec, batch, encode_frame, produce_request,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 2000;

/// Allocations of the whole process for each of the requests, which this side sends and receives without any.
fn allocations(node: &TestNode, request: &[u8]) -> io::Result<f64> {
    let mut stream = TcpStream::connect(node.address())?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0_u8; 128 << 10];
    let mut exchange = |rounds| {
        for _ in 0..rounds {
            stream.write_all(request)?;
            let mut length = [0; 4];
            stream.read_exact(&mut length)?;
            let length = u32::from_be_bytes(length) as usize;
            stream.read_exact(&mut answer[..length])?;
        }
        Ok::<_, io::Error>(())
    };
    exchange(ROUNDS / 10)?;
    let region = Region::new(ALLOCATOR);
    exchange(ROUNDS)?;
    let change = region.change();
    Ok((change.allocations + change.reallocations) as f64 / ROUNDS as f64)
}

/// One test, because whatever else runs in this process is counted too.
#[test]
fn requests_of_one_batch_cost_few_allocations() {
    let value = "v".repeat(1000);
    // With fsync and acks=all each request waits for the disk, and what the node does beside in that time is counted too:
    // about 8 are the request's and its sync's.
    for (durability, acks, most) in [
        ("os", ACKS_LEADER, 2.0),
        ("os", ACKS_ALL, 2.0),
        ("fsync", ACKS_LEADER, 2.0),
        ("fsync", ACKS_ALL, 16.0),
    ] {
        let node = NodeSpec::new().set("log.durability", durability).start();
        node.client().create(&TopicSpec::new("t"));
        let request = encode_frame(9, &produce_request("t", 0, acks, batch::one(&value)));
        let count = allocations(&node, &request).unwrap();
        println!("produce, {durability}, acks={acks}: {count:.2}");
        assert!(count <= most, "{durability}, acks={acks}: {count:.2} allocations, {most} are allowed");
    }
    for (kind, size, most) in [("copied from memory", 1000, 24.0), ("sent from its file", 65536, 24.0)] {
        let node = NodeSpec::new().set("log.durability", "os").start();
        let mut client = node.client();
        client.create(&TopicSpec::new("t"));
        client.produce("t", batch::one(&"v".repeat(size)));
        let count = allocations(&node, &encode_frame(11, &FetchAt::new("t", 0).to_request())).unwrap();
        println!("fetch, {kind}: {count:.2}");
        assert!(count <= most, "fetch, {kind}: {count:.2} allocations, {most} are allowed");
    }
}
