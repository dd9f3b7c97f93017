//! What a node keeps in memory for what nobody uses: bounds that do not depend on the machine.

use std::alloc::System;

use ottla_protocol::messages::api_versions::ApiVersionsRequest;
use ottla_testkit::{NodeSpec, TopicSpec};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PARTITIONS: i32 = 1000;
const CONNECTIONS: usize = 200;

/// Bytes that were allocated since, and are still in use.
fn kept(region: &Region<'_, System>) -> usize {
    let change = region.change();
    (change.bytes_allocated + change.bytes_reallocated.max(0) as usize)
        .saturating_sub(change.bytes_deallocated)
}

/// One test, because whatever else runs in this process is counted too.
#[test]
fn idle_partitions_and_connections_take_little_memory() {
    let node = NodeSpec::new().start();
    let mut client = node.client();
    client.create_topic("first");
    let region = Region::new(ALLOCATOR);
    client.create(&TopicSpec::new("t").partitions(PARTITIONS));
    let each = kept(&region) / PARTITIONS as usize;
    println!("a partition without records: {each} bytes");
    assert!(each <= 8192, "{each} bytes");

    let region = Region::new(ALLOCATOR);
    let mut clients: Vec<_> = (0..CONNECTIONS).map(|_| node.client()).collect();
    for client in &mut clients {
        client.call(4, &ApiVersionsRequest::default());
    }
    let each = kept(&region) / CONNECTIONS;
    println!("a connection that said who it is: {each} bytes, with this side of it");
    assert!(each <= 16384, "{each} bytes");
}
