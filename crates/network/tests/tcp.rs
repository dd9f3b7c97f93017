//! Over real sockets: sendfile, stopping, limits of connections.
#![expect(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ottla_network::{
    BindError, Call, ConnectionContext, ConnectionQuota, FileRange, Lease, Listener, ListenerConfig,
    ListenerHandle, Reply, ReplySegment, Service,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Answers `file` with the whole file between two pieces from memory, `wait` once notified, and all else with itself.
struct Server {
    file: Arc<std::fs::File>,
    len: u64,
    gate: Arc<Notify>,
}

const HEAD: &[u8] = b"<head>";
const TAIL: &[u8] = b"<tail>";

impl Service for Server {
    type Session = ();

    fn open(&self, _: &Arc<ConnectionContext>) {}

    fn call(&self, (): &mut (), frame: Bytes, _lease: &mut Lease) -> Call {
        match &*frame {
            b"file" => {
                let len = (HEAD.len() + TAIL.len()) as u64 + self.len;
                let range = FileRange { file: Arc::clone(&self.file) as _, position: 0, len: self.len };
                let length = Bytes::copy_from_slice(&i32::try_from(len).unwrap().to_be_bytes());
                Call::Ready(Reply::Segments(vec![
                    ReplySegment::Bytes(length),
                    ReplySegment::Bytes(Bytes::from_static(HEAD)),
                    ReplySegment::File(range),
                    ReplySegment::Bytes(Bytes::from_static(TAIL)),
                ]))
            }
            b"wait" => {
                let gate = Arc::clone(&self.gate);
                Call::wait(async move {
                    gate.notified().await;
                    Reply::Frame(framed(b"done"))
                })
            }
            other => Call::Ready(Reply::Frame(framed(other))),
        }
    }
}

fn framed(body: &[u8]) -> Vec<u8> {
    [&i32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

fn config() -> ListenerConfig {
    ListenerConfig::new("PLAINTEXT", "127.0.0.1", 0)
}

async fn start(config: ListenerConfig) -> (ListenerHandle, Arc<Server>, Vec<u8>) {
    let contents: Vec<u8> = (0..5_000_000u32).map(|index| (index % 253) as u8).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&contents).unwrap();
    let server = Server { file: Arc::new(file), len: contents.len() as u64, gate: Arc::default() };
    let server = Arc::new(server);
    let handle = Listener::bind(config).await.unwrap().serve(Arc::clone(&server));
    (handle, server, contents)
}

async fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let len = stream.read_i32().await.ok()?;
    let mut frame = vec![0; usize::try_from(len).unwrap()];
    stream.read_exact(&mut frame).await.unwrap();
    Some(frame)
}

#[tokio::test]
async fn files_and_memory_arrive_in_order_by_sendfile() {
    let (listener, _, contents) = start(config()).await;
    let mut stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    let requests = [framed(b"one"), framed(b"file"), framed(b"two"), framed(b"file")].concat();
    stream.write_all(&requests).await.unwrap();
    let file = [HEAD, &contents, TAIL].concat();
    for expected in [b"one", &file[..], b"two", &file] {
        assert!(receive(&mut stream).await.unwrap() == expected);
    }
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_starts_nothing_new() {
    let (listener, server, _) = start(config()).await;
    let address = listener.local_addr();
    let mut busy = TcpStream::connect(address).await.unwrap();
    busy.write_all(&[framed(b"first"), framed(b"wait"), framed(b"never")].concat()).await.unwrap();
    assert_eq!(receive(&mut busy).await.unwrap(), b"first");
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(&framed(b"hello")).await.unwrap();
    assert_eq!(receive(&mut idle).await.unwrap(), b"hello");
    let stop = tokio::spawn(listener.stop(Duration::from_secs(10)));
    assert_eq!(receive(&mut idle).await, None, "idle connections close at once");
    server.gate.notify_one();
    assert_eq!(receive(&mut busy).await.unwrap(), b"done");
    assert_eq!(receive(&mut busy).await, None);
    assert!(stop.await.unwrap(), "in time");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_longer_than_it_was_told() {
    let (listener, _, _) = start(config()).await;
    let mut stream = TcpStream::connect(listener.local_addr()).await.unwrap();
    stream.write_all(&[framed(b"echo"), framed(b"wait")].concat()).await.unwrap();
    assert_eq!(receive(&mut stream).await.unwrap(), b"echo");
    assert!(!listener.stop(Duration::from_millis(10)).await);
    assert_eq!(receive(&mut stream).await, None);
}

#[tokio::test]
async fn one_address_has_no_more_connections_than_allowed() {
    let quota = ConnectionQuota::new(usize::MAX, 1, HashMap::new());
    let (listener, _, _) = start(ListenerConfig { quota: Arc::clone(&quota), ..config() }).await;
    let mut first = TcpStream::connect(listener.local_addr()).await.unwrap();
    first.write_all(&framed(b"hello")).await.unwrap();
    assert!(receive(&mut first).await.is_some());
    let mut second = TcpStream::connect(listener.local_addr()).await.unwrap();
    assert_eq!(receive(&mut second).await, None);
    assert_eq!(quota.open(), 1);
}

#[tokio::test]
async fn beyond_the_limit_of_all_connections_newcomers_wait_for_their_turn() {
    let quota = ConnectionQuota::new(1, usize::MAX, HashMap::new());
    let (listener, _, _) = start(ListenerConfig { quota, ..config() }).await;
    let mut first = TcpStream::connect(listener.local_addr()).await.unwrap();
    first.write_all(&framed(b"hello")).await.unwrap();
    assert!(receive(&mut first).await.is_some());
    let mut second = TcpStream::connect(listener.local_addr()).await.unwrap();
    second.write_all(&framed(b"hello")).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), second.readable()).await.is_err());
    drop(first);
    assert_eq!(receive(&mut second).await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_port_in_use_is_named_with_the_remedy() {
    let (listener, _, _) = start(config()).await;
    let taken = ListenerConfig { port: listener.local_addr().port(), ..config() };
    let error = Listener::bind(taken).await.unwrap_err();
    assert!(matches!(error, BindError::Bind { .. }));
    let message = error.to_string();
    assert!(
        message.contains(&listener.local_addr().to_string()) && message.contains("free port"),
        "{message}"
    );
}

#[tokio::test]
async fn an_empty_host_listens_on_every_address() {
    let (listener, _, _) = start(ListenerConfig { host: String::new(), ..config() }).await;
    let mut stream = TcpStream::connect(("127.0.0.1", listener.local_addr().port())).await.unwrap();
    stream.write_all(&framed(b"hello")).await.unwrap();
    assert_eq!(receive(&mut stream).await.unwrap(), b"hello");
}
