//! What a thousand connections cost, and what happens when descriptors run out. One test: both concern the whole process.
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_network::{
    Call, ConnectionContext, ConnectionOptions, Lease, Listener, ListenerConfig, Reply, Service,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

struct Echo;

impl Service for Echo {
    type Session = ();

    fn open(&self, _: &Arc<ConnectionContext>) {}

    fn call(&self, (): &mut (), frame: Bytes, _lease: &mut Lease) -> Call {
        let length = i32::try_from(frame.len()).unwrap().to_be_bytes();
        Call::Ready(Reply::Frame([&length[..], &frame].concat()))
    }
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn echo(stream: &mut TcpStream) {
    stream.write_all(b"\0\0\0\x02hi").unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"\0\0\0\x02hi");
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn a_thousand_idle_connections_are_cheap_and_running_out_of_descriptors_is_survived() {
    let hard = getrlimit(Resource::Nofile).maximum;
    let enough = hard.map_or(8192, |hard| hard.min(8192));
    setrlimit(Resource::Nofile, Rlimit { current: Some(enough), maximum: hard }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let options = ConnectionOptions::default();
    let metrics = Arc::clone(&options.metrics);
    let config =
        ListenerConfig { connection: options, backlog: 1024, ..ListenerConfig::new("TEST", "127.0.0.1", 0) };
    let listener = runtime.block_on(async { Listener::bind(config).await.unwrap().serve(Arc::new(Echo)) });
    let address = listener.local_addr();
    echo(&mut connect(address));

    let before = resident_bytes();
    let mut idle: Vec<TcpStream> = (0..1000).map(|_| connect(address)).collect();
    idle.iter_mut().for_each(echo);
    let each = resident_bytes().saturating_sub(before) / idle.len();
    assert!(each < 4 * 1024, "{each} bytes for each idle connection");

    let full = u64::try_from(open_files() + 10).unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(full), maximum: hard }).unwrap();
    let crowd: Vec<_> = std::iter::from_fn(|| TcpStream::connect(address).ok()).take(20).collect();
    assert!(crowd.len() < 20, "this end runs out too");
    while metrics.accept_errors.get() == 0 {
        std::thread::yield_now();
    }
    echo(&mut idle[0]);
    drop(crowd);
    echo(&mut connect(address));
    assert!(runtime.block_on(listener.stop(Duration::from_secs(5))));
    assert_eq!(metrics.connections.get(), 0);
}
